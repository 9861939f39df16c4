# One i386 call for all that sockets do, with the arguments behind a pointer.
import _socket as socket
import struct

from calls import LowMemory, inet
from inside import run

SOCKETCALL = 102
SOCKET, SENDTO = 1, 11


def attack(target):
    low = LowMemory()
    fd = low.int80(SOCKETCALL, SOCKET, low.put(struct.pack("=3I", socket.AF_INET, socket.SOCK_DGRAM, 0)))
    words = struct.pack("=6I", fd, low.put(b"out"), 3, 0, low.put(inet(target.port)), 16)
    low.int80(SOCKETCALL, SENDTO, low.put(words))


run(attack)
