# A supervisor of our own for our own calls would mask the one that is there.
import ctypes
import struct

from calls import call, libc
from inside import run

PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER, NEW_LISTENER = 1, 8
RETURN, ALLOW = 0x06, 0x7FFF0000


def attack(target):
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    filters = ctypes.create_string_buffer(struct.pack("=HBBI", RETURN, 0, 0, ALLOW), 8)
    program = struct.pack("=HxxxxxxQ", 1, ctypes.addressof(filters))
    call("seccomp", SET_MODE_FILTER, NEW_LISTENER, program)


run(attack)
