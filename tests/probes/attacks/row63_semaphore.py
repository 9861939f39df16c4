import struct

from calls import call
from inside import run


def attack(target):
    call("semop", target.sem, struct.pack("=Hhh", 0, 1, 0), 1)


run(attack)
