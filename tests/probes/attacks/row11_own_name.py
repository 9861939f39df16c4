# The name of a socket of our own is given to theirs.
import _socket as socket
import os

from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX)
    own = socket.socket(socket.AF_UNIX)
    own.bind(f"{target.directory}/mine")
    os.rename(target.name, f"{target.directory}/mine")
    client.connect(f"{target.directory}/mine")
    client.sendall(b"out")


run(attack)
