# Two forks and a session of its own: nobody's child, nobody's group.
import fcntl
import os
import time

from inside import run


def attack(target):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            live(target, writer)
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)


def live(target, writer):
    """The lock tells the outside that this process is there, however it is numbered."""
    lock = os.open(f"{target.work}/lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for fd in (0, 1, 2):
        os.close(fd)
    os.write(writer, b"x")
    os.close(writer)
    deadline = time.monotonic() + 30
    while not os.path.exists(f"{target.work}/stop") and time.monotonic() < deadline:
        time.sleep(0.01)
    os._exit(0)


run(attack)
