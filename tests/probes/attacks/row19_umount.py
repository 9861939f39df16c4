from calls import call, own_mount
from inside import run

MNT_DETACH = 2


def attack(target):
    own_mount(target.work)
    call("umount2", target.work.encode(), MNT_DETACH)


run(attack)
