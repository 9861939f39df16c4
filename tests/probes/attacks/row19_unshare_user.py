from calls import call
from inside import run


def attack(target):
    call("unshare", 0x10000000)


run(attack)
