import struct

from calls import call
from inside import run

BPF_MAP_CREATE, BPF_MAP_TYPE_ARRAY = 0, 2


def attack(target):
    attributes = struct.pack("=4I", BPF_MAP_TYPE_ARRAY, 4, 8, 1).ljust(128, b"\0")
    call("bpf", BPF_MAP_CREATE, attributes, len(attributes))


run(attack)
