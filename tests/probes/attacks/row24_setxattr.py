import os

from inside import run


def attack(target):
    os.setxattr(target.file, "user.probe", b"changed")


run(attack)
