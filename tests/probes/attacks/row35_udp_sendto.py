import _socket as socket

from inside import run


def attack(target):
    socket.socket(type=socket.SOCK_DGRAM).sendto(b"out", ("127.0.0.1", target.port))


run(attack)
