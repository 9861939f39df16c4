import ctypes
import os

from calls import call
from inside import run, show

PEEKDATA, POKEDATA, ATTACH, DETACH = 2, 5, 16, 17


def attack(target):
    call("ptrace", ATTACH, target.pid, 0, 0)
    os.waitpid(target.pid, 0x40000000)  # __WALL
    word = ctypes.create_string_buffer(8)
    for offset in range(0, 64, 8):
        call("ptrace", PEEKDATA, target.pid, target.address + offset, word)
        show(word.raw)
    call("ptrace", POKEDATA, target.pid, target.address, int.from_bytes(b"changed!", "little"))
    call("ptrace", DETACH, target.pid, 0, 0)


run(attack)
