from calls import call
from inside import run

SEIZE = 0x4206


def attack(target):
    call("ptrace", SEIZE, target.pid, 0, 0)  # ends with us


run(attack)
