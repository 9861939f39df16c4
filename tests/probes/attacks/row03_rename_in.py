import os

from inside import run, show


def attack(target):
    os.rename(os.path.dirname(target.secret), f"{target.work}/mine")
    with open(f"{target.work}/mine/secret", "rb") as file:
        show(file.read())


run(attack)
