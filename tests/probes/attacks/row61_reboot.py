# Without the magic numbers: fails after the question whether it may.
from calls import unless_refused
from inside import run


def attack(target):
    unless_refused("reboot", 0, 0, 0, 0)


run(attack)
