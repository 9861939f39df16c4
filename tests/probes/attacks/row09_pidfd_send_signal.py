import signal

from calls import call
from inside import run


def attack(target):
    call("pidfd_send_signal", call("pidfd_open", target.pid, 0), signal.SIGUSR1, 0, 0)


run(attack)
