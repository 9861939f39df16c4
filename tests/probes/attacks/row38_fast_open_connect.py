# A connect that does nothing until the first byte is sent.
import _socket as socket

from inside import run

TCP_FASTOPEN_CONNECT = 30


def attack(target):
    client = socket.socket()
    client.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    client.connect(("127.0.0.1", target.port))
    client.sendall(b"out")


run(attack)
