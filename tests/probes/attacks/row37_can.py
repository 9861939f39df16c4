import _socket as socket

from inside import run


def attack(target):
    socket.socket(29, socket.SOCK_RAW, 1)


run(attack)
