import _socket as socket
import os

from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX)
    os.symlink(target.name, f"{target.directory}/mine")
    client.connect(f"{target.directory}/mine")
    client.sendall(b"out")


run(attack)
