import os

from inside import run


def attack(target):
    os.symlink(target.secret, f"{target.work}/link")
    with open(f"{target.work}/link", "wb") as file:
        file.write(b"changed")


run(attack)
