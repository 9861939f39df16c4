import signal

from inside import call, run


def attack(target):
    call("tgkill", target.pid, target.pid, signal.SIGUSR1)


run(attack)
