# Too many segments: fails after the question whether it may.
from inside import run, unless_refused


def attack(target):
    unless_refused("kexec_load", 0, 1000, 0, -1)


run(attack)
