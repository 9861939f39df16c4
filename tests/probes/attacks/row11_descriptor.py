# By a descriptor of the socket, which needs no rights.
import _socket as socket
import os

from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX)
    fd = os.open(target.name, os.O_PATH)
    client.connect(f"/proc/self/fd/{fd}")
    client.sendall(b"out")


run(attack)
