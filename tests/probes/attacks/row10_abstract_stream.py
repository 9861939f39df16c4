import _socket as socket

from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX)
    client.connect(target.name)
    client.sendall(b"out")


run(attack)
