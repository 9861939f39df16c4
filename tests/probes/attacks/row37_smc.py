import _socket as socket

from inside import run


def attack(target):
    socket.socket(43, socket.SOCK_STREAM, 0)


run(attack)
