# SOCK_PACKET of the family AF_INET, which the kernel turns into AF_PACKET.
import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_INET, 10, 0)


run(attack)
