# U+212A, the Kelvin sign, folds to k; U+00AD, the soft hyphen, to nothing.
from inside import run, show


def attack(target):
    refused = None
    for name in (".ENV", ".e\u00adnv", "TASK", "tas\u212a"):
        try:
            with open(f"{target.folded}/{name}", "rb") as file:
                show(file.read())
        except PermissionError as error:
            refused = error
    if refused:
        raise refused


run(attack)
