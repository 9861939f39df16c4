import _socket as socket

from inside import run

IPPROTO_UDPLITE = 136


def attack(target):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, IPPROTO_UDPLITE)
    client.sendto(b"out", ("127.0.0.1", target.port))


run(attack)
