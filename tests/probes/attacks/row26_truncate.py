import os

from inside import run


def attack(target):
    os.truncate(target.file, 0)


run(attack)
