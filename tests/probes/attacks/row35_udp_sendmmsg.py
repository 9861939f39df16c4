import _socket as socket

from calls import inet, sendmmsg
from inside import run


def attack(target):
    client = socket.socket(type=socket.SOCK_DGRAM)
    sendmmsg(client.fileno(), b"out", inet(target.port))


run(attack)
