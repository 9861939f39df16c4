import ctypes

from calls import call
from inside import run, show


def attack(target):
    show(ctypes.string_at(call("shmat", target.shm, 0, 0), 64))


run(attack)
