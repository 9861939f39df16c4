# SMC over AF_INET.
import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, 256)


run(attack)
