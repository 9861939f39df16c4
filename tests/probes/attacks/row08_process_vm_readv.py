import ctypes
import struct

from calls import call
from inside import run, show


def attack(target):
    buffer = ctypes.create_string_buffer(64)
    ours = struct.pack("=QQ", ctypes.addressof(buffer), 64)
    call("process_vm_readv", target.pid, ours, 1, struct.pack("=QQ", target.address, 64), 1, 0)
    show(buffer.raw)


run(attack)
