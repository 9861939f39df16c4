import socket

from inside import run, sendmmsg, unix


def attack(target):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sendmmsg(client.fileno(), b"out", unix(target.name))


run(attack)
