# A later filter that allows everything must not overrule an earlier one.
import _socket as socket
import ctypes
import struct

from calls import call, libc
from inside import run

PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER = 1
RETURN, ALLOW = 0x06, 0x7FFF0000


def attack(target):
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    filters = ctypes.create_string_buffer(struct.pack("=HBBI", RETURN, 0, 0, ALLOW), 8)
    program = struct.pack("=HxxxxxxQ", 1, ctypes.addressof(filters))
    call("seccomp", SET_MODE_FILTER, 0, program)
    socket.socket(type=socket.SOCK_DGRAM).sendto(b"out", ("127.0.0.1", target.port))


run(attack)
