import _socket as socket

from inside import run


def attack(target):
    socket.socket(30, socket.SOCK_RDM, 0)


run(attack)
