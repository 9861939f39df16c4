# What is granted is a name: theirs gets it as a second one.
import _socket as socket
import os

from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX)
    os.link(target.name, target.granted)
    client.connect(target.granted)
    client.sendall(b"out")


run(attack)
