from calls import AT_FDCWD, call, own_mount
from inside import run


def attack(target):
    own_mount(target.work)
    call("fspick", AT_FDCWD, target.work.encode(), 0)


run(attack)
