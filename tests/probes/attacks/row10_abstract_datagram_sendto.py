import _socket as socket

from inside import run


def attack(target):
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"out", target.name)


run(attack)
