import _socket as socket

from inside import run


def attack(target):
    client = socket.socket(socket.AF_INET6)
    client.connect(("::ffff:127.0.0.1", target.port))
    client.sendall(b"out")


run(attack)
