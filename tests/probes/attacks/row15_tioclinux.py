# Asks for the state of the shift keys; other requests of the same call paste.
import fcntl

from inside import run

TIOCLINUX = 0x541C


def attack(target):
    fcntl.ioctl(0, TIOCLINUX, b"\x06")


run(attack)
