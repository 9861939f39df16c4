import signal

from inside import call, run


def attack(target):
    call("pidfd_send_signal", call("pidfd_open", target.pid, 0), signal.SIGUSR1, 0, 0)


run(attack)
