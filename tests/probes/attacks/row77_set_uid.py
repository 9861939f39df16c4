import os

from inside import run


def attack(target):
    somebody_else = 0 if os.getuid() else 65534
    os.setresuid(somebody_else, somebody_else, somebody_else)


run(attack)
