import os
import stat

from inside import run


def attack(target):
    os.mknod(f"{target.work}/device", 0o600 | stat.S_IFBLK, os.makedev(7, 0))


run(attack)
