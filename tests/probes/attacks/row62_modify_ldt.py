import struct

from calls import call
from inside import run


def attack(target):
    entry = struct.pack("=4I", 0, 0, 0xFFF, 0x51)  # 32-bit, limit in pages, usable
    call("modify_ldt", 1, entry, len(entry))


run(attack)
