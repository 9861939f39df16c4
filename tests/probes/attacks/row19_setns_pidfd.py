from calls import call
from inside import run

CLONE_NEWNET = 0x40000000


def attack(target):
    call("setns", call("pidfd_open", target.pid, 0), CLONE_NEWNET)


run(attack)
