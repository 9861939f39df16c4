import _socket as socket

from inside import run

IPPROTO_MPTCP = 262


def attack(target):
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    client.connect(("127.0.0.1", target.port))
    client.sendall(b"out")


run(attack)
