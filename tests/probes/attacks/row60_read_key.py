# A key that somebody else of the same user keeps in the kernel.
import ctypes

from calls import call
from inside import run, show

READ, SEARCH, USER_KEYRING = 11, 10, -4


def attack(target):
    key = call("keyctl", SEARCH, USER_KEYRING, b"user", target.name.encode(), 0)
    buffer = ctypes.create_string_buffer(100)
    call("keyctl", READ, key, buffer, 100)
    show(buffer.value)


run(attack)
