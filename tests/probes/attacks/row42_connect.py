import socket

from inside import run


def attack(target):
    socket.create_connection(("127.0.0.1", target.port)).sendall(b"out")


run(attack)
