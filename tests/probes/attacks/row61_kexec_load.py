# Too many segments: fails after the question whether it may.
from calls import unless_refused
from inside import run


def attack(target):
    unless_refused("kexec_load", 0, 1000, 0, -1)


run(attack)
