import socket

from inside import inet, run, sendmmsg


def attack(target):
    client = socket.socket(type=socket.SOCK_DGRAM)
    sendmmsg(client.fileno(), b"out", inet(target.port))


run(attack)
