import ctypes
import struct

from calls import AT_FDCWD, call
from inside import run


def attack(target):
    value = ctypes.create_string_buffer(b"changed")
    arguments = struct.pack("=QII", ctypes.addressof(value), 7, 0)
    call("setxattrat", AT_FDCWD, target.file.encode(), 0, b"user.probe", arguments, len(arguments))


run(attack)
