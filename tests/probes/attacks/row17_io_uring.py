import ctypes

from calls import call
from inside import run


def attack(target):
    call("io_uring_setup", 8, ctypes.create_string_buffer(256))


run(attack)
