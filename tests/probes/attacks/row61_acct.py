# A file that cannot be: fails after the question whether it may.
from calls import unless_refused
from inside import run


def attack(target):
    unless_refused("acct", b"/nono-none/accounting")


run(attack)
