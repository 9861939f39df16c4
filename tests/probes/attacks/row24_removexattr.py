import os

from inside import run


def attack(target):
    os.removexattr(target.file, "user.mark")


run(attack)
