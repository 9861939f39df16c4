# The machine that runs this virtual one.
import _socket as socket

from inside import run


def attack(target):
    socket.socket(40, socket.SOCK_STREAM, 0)


run(attack)
