import os

from inside import run, show


def attack(target):
    os.rename(target.file, f"{target.parent}/mine")
    with open(f"{target.parent}/mine", "rb") as file:
        show(file.read())


run(attack)
