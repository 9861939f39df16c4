# A pipe that tells somebody else that there is something to read.
import fcntl
import os

from inside import run


def attack(target):
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, target.pid)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writer, b"x")


run(attack)
