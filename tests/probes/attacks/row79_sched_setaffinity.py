import os

from inside import run


def attack(target):
    os.sched_setaffinity(target.pid, [min(os.sched_getaffinity(0))])


run(attack)
