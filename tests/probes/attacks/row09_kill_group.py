import os
import signal

from inside import run


def attack(target):
    os.killpg(target.pid, signal.SIGUSR1)


run(attack)
