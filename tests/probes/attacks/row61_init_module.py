# No module: fails after the question whether it may.
from calls import unless_refused
from inside import run


def attack(target):
    unless_refused("init_module", 0, 0, b"")


run(attack)
