import os

from calls import call, own_mounts
from inside import run


def attack(target):
    own_mounts()
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0"
    call("mount", b"none", target.work.encode(), b"fuse", 0, options.encode())


run(attack)
