# socketpair is allowed where socket is not: can one of a pair be turned to somebody else?
import _socket as socket

from inside import run


def attack(target):
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.connect(target.name)
    ours.send(b"out")


run(attack)
