from calls import call
from inside import run


def attack(target):
    call("personality", 0x0400000)


run(attack)
