# A file that cannot be: fails after the question whether it may.
from inside import run, unless_refused


def attack(target):
    unless_refused("acct", b"/nono-none/accounting")


run(attack)
