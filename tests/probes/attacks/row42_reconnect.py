# Connect to where it may, undo that with AF_UNSPEC, and connect again.
import _socket as socket

from calls import libc
from inside import run


def attack(target):
    client = socket.socket()
    client.connect(("127.0.0.1", target.allowed_port))
    libc.connect(client.fileno(), bytes(16), 16)
    client.connect(("127.0.0.1", target.port))
    client.sendall(b"out")


run(attack)
