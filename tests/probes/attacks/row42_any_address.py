# 0.0.0.0 means this machine.
import _socket as socket

from inside import run


def attack(target):
    client = socket.socket()
    client.connect(("0.0.0.0", target.port))
    client.sendall(b"out")


run(attack)
