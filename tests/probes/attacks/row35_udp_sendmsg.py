import _socket as socket

from inside import run


def attack(target):
    socket.socket(type=socket.SOCK_DGRAM).sendmsg([b"out"], [], 0, ("127.0.0.1", target.port))


run(attack)
