from calls import call
from inside import run


def attack(target):
    call("chroot", b"/")


run(attack)
