import os

from inside import run


def attack(target):
    os.sched_setscheduler(target.pid, os.SCHED_BATCH, os.sched_param(0))


run(attack)
