import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)


run(attack)
