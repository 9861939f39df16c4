# An IPv6 socket, an IPv4 address.
import _socket as socket

from inside import run


def attack(target):
    client = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    client.sendto(b"out", ("::ffff:127.0.0.1", target.port))


run(attack)
