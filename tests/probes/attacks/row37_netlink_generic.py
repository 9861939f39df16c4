import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)


run(attack)
