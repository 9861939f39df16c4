from calls import call
from inside import run


def attack(target):
    call("unshare", 0x08000000)


run(attack)
