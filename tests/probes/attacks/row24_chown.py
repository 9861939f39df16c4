# To an owner that it can have: root to anybody; others to themselves, which still clears a mode bit.
import os

from inside import run


def attack(target):
    os.chown(target.file, os.getuid() or 65534, -1)


run(attack)
