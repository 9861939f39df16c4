import os

from inside import run


def attack(target):
    os.mkdir(target.cgroup)


run(attack)
