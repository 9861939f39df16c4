import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_INET, 6, 33)


run(attack)
