# Names are resolved by a daemon outside, which is asked through its socket.
import _socket as socket

from inside import run


def attack(target):
    daemon = socket.socket(socket.AF_UNIX)
    daemon.connect(target.name)
    daemon.sendall(b"secret.example.invalid")


run(attack)
