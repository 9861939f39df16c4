from calls import call, own_mounts
from inside import run


def attack(target):
    own_mounts()
    call("mount", b"none", target.work.encode(), b"tmpfs", 0, 0)


run(attack)
