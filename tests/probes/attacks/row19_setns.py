import os

from calls import call
from inside import run


def attack(target):
    call("setns", os.open(f"/proc/{target.pid}/ns/net", os.O_RDONLY), 0)


run(attack)
