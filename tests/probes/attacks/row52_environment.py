import os

from inside import run, show


def attack(target):
    show("\n".join(os.environ.values()))


run(attack)
