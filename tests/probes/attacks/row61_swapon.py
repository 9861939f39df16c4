# A file that is not there: fails after the question whether it may.
from calls import unless_refused
from inside import run


def attack(target):
    unless_refused("swapon", b"/nono-none/swap", 0)


run(attack)
