import os

from inside import run


def attack(target):
    os.write(os.open(target.terminal, os.O_WRONLY | os.O_NOCTTY), b"out")


run(attack)
