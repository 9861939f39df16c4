import signal

from calls import call
from inside import run


def attack(target):
    call("tgkill", target.pid, target.pid, signal.SIGUSR1)


run(attack)
