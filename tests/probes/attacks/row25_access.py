import os

from inside import run


def attack(target):
    return os.access(target.secret, os.F_OK)


run(attack)
