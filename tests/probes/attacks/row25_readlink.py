import os

from inside import run, show


def attack(target):
    show(os.readlink(target.link))


run(attack)
