# A file that is not there: fails after the question whether it may.
from inside import run, unless_refused


def attack(target):
    unless_refused("swapon", b"/nono-none/swap", 0)


run(attack)
