import os

from inside import run, show


def attack(target):
    show(os.pread(target.file, 100, 0))


run(attack)
