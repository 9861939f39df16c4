import ctypes
import struct

from calls import call
from inside import run


def attack(target):
    buffer = ctypes.create_string_buffer(b"changed")
    ours = struct.pack("=QQ", ctypes.addressof(buffer), 7)
    call("process_vm_writev", target.pid, ours, 1, struct.pack("=QQ", target.address, 7), 1, 0)


run(attack)
