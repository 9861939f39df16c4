import os

from inside import run


def attack(target):
    os.utime(target.file, (1, 1))


run(attack)
