# ICMP echo without privileges.
import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)


run(attack)
