import os

from inside import run


def attack(target):
    os.chmod(target.file, 0o4777)


run(attack)
