# The type may carry two flags; a filter that compares all of it misses them.
import _socket as socket

from inside import run


def attack(target):
    kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    socket.socket(type=kind).sendto(b"out", ("127.0.0.1", target.port))


run(attack)
