# The same calls by their i386 numbers, which mean something else on x86-64.
import _socket as socket

from calls import LowMemory, inet
from inside import run

SOCKET, CONNECT, WRITE = 359, 362, 4


def attack(target):
    low = LowMemory()
    fd = low.int80(SOCKET, socket.AF_INET, socket.SOCK_DGRAM, 0)
    low.int80(CONNECT, fd, low.put(inet(target.port)), 16)
    low.int80(WRITE, fd, low.put(b"out"), 3)


run(attack)
