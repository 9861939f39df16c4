# No module: fails after the question whether it may.
from inside import run, unless_refused


def attack(target):
    unless_refused("init_module", 0, 0, b"")


run(attack)
