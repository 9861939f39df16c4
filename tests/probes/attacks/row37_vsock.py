# The machine that runs this virtual one.
import socket

from inside import run


def attack(target):
    socket.socket(40, socket.SOCK_STREAM, 0)


run(attack)
