import os

from inside import run


def attack(target):
    os.rename(target.parent, f"{target.work}/mine")
    os.mkdir(target.parent)
    with open(target.file, "w") as file:
        file.write("changed")


run(attack)
