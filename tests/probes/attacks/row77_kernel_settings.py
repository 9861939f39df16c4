# Opened for writing and left as it is.
import os

from inside import run


def attack(target):
    os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)


run(attack)
