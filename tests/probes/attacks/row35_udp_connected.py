import _socket as socket

from inside import run


def attack(target):
    client = socket.socket(type=socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", target.port))
    client.send(b"out")


run(attack)
