# Without the magic numbers: fails after the question whether it may.
from inside import run, unless_refused


def attack(target):
    unless_refused("reboot", 0, 0, 0, 0)


run(attack)
