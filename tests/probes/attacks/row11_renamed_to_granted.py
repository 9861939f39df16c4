# What is granted is a name: theirs gets it.
import _socket as socket
import os

from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX)
    os.rename(target.name, target.granted)
    client.connect(target.granted)
    client.sendall(b"out")


run(attack)
