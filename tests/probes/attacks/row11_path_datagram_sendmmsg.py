import _socket as socket

from calls import sendmmsg, unix
from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sendmmsg(client.fileno(), b"out", unix(target.name))


run(attack)
