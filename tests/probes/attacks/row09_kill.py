import os
import signal

from inside import run


def attack(target):
    os.kill(target.pid, signal.SIGUSR1)


run(attack)
