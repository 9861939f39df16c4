import _socket as socket

from inside import run


def attack(target):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    client.connect(target.name)
    client.send(b"out")


run(attack)
