# x32: the numbers of x86-64 with one more bit.
import _socket as socket

from calls import call
from inside import run

X32_BIT = 0x40000000
SOCKET = 41


def attack(target):
    call(X32_BIT | SOCKET, socket.AF_INET, socket.SOCK_DGRAM, 0)


run(attack)
