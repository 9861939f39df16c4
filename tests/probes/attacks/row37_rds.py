import _socket as socket

from inside import run


def attack(target):
    socket.socket(21, socket.SOCK_SEQPACKET, 0)


run(attack)
