# Gives the parent process our session keyring, and once gave it our credentials with it.
from calls import call
from inside import in_child, run

JOIN_SESSION_KEYRING, SESSION_TO_PARENT = 1, 18


def attack(target):
    in_child(give)


def give():
    call("keyctl", JOIN_SESSION_KEYRING, 0)
    call("keyctl", SESSION_TO_PARENT)


run(attack)
