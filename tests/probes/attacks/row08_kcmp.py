import os

from calls import call
from inside import run


def attack(target):
    call("kcmp", os.getpid(), target.pid, 1, 0, 0)  # KCMP_VM


run(attack)
