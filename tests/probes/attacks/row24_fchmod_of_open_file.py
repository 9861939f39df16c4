import os

from inside import run


def attack(target):
    with open(target.file, "rb") as file:
        os.fchmod(file.fileno(), 0o4777)


run(attack)
