from calls import call
from inside import run


def attack(target):
    call("personality", 0x0040000)


run(attack)
