import _socket as socket

from inside import run


def attack(target):
    socket.socket(44, socket.SOCK_RAW, 0)


run(attack)
