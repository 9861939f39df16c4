import _socket as socket

from inside import run


def attack(target):
    socket.socket(41, socket.SOCK_DGRAM, 0)


run(attack)
