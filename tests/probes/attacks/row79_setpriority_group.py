import os

from inside import run


def attack(target):
    os.setpriority(os.PRIO_PGRP, target.pid, 7)


run(attack)
