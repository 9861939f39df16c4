# A connection without connect.
import _socket as socket

from calls import inet, sendmmsg
from inside import run


def attack(target):
    client = socket.socket()
    sendmmsg(client.fileno(), b"out", inet(target.port), socket.MSG_FASTOPEN)


run(attack)
