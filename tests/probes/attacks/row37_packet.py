import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)


run(attack)
