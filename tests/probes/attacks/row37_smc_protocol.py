# SMC over AF_INET.
import socket

from inside import run


def attack(target):
    socket.socket(socket.AF_INET, socket.SOCK_STREAM, 256)


run(attack)
