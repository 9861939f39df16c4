from calls import call
from inside import run

PROCESS_KEYRING = -2


def attack(target):
    call("add_key", b"user", b"nono-probe", b"x", 1, PROCESS_KEYRING)


run(attack)
