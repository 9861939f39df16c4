from calls import call
from inside import run


def attack(target):
    call("iopl", 3)


run(attack)
