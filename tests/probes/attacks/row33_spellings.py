import os

from inside import run, show


def attack(target):
    os.chdir(target.parent)
    os.symlink(target.parent, f"{target.work}/link")
    parent = os.path.basename(target.parent)
    here = os.open(".", os.O_RDONLY)
    refused = None
    for name in (
        target.name, f"./{target.name}", f"../{parent}//{target.name}", f"{target.parent}/./{target.name}",
        f"{target.work}/link/{target.name}", f"{target.work}/link/../{parent}/{target.name}", f"/{target.file}",
    ):
        for directory in (None, here):
            try:
                show(os.read(os.open(name, os.O_RDONLY, dir_fd=directory), 100))
            except PermissionError as error:
                refused = error
    if refused:
        raise refused


run(attack)
