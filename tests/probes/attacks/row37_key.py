# IPsec keys.
import _socket as socket

from inside import run


def attack(target):
    socket.socket(15, socket.SOCK_RAW, 2)


run(attack)
