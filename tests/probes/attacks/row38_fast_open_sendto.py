# A connection without connect.
import _socket as socket

from inside import run


def attack(target):
    client = socket.socket()
    client.sendto(b"out", socket.MSG_FASTOPEN, ("127.0.0.1", target.port))


run(attack)
