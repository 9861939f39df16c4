# IPPROTO_RAW: the header is ours to write as well.
import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, 255)


run(attack)
