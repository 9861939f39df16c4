# NETLINK_SOCK_DIAG: everybody's sockets.
import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)


run(attack)
