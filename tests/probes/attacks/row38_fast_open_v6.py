# A connection without connect, to an IPv4 address from an IPv6 socket.
import _socket as socket

from inside import run


def attack(target):
    client = socket.socket(socket.AF_INET6)
    client.sendto(b"out", socket.MSG_FASTOPEN, ("::ffff:127.0.0.1", target.port))


run(attack)
