# The command has ended, and somebody still holds the other end of what its caller reads.
import fcntl
import os
import time

from inside import run


def attack(target):
    reader, writer = os.pipe()
    if os.fork() == 0:
        lock = os.open(f"{target.work}/lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(writer, b"x")
        deadline = time.monotonic() + 30
        while not os.path.exists(f"{target.work}/stop") and time.monotonic() < deadline:
            time.sleep(0.01)
        os._exit(0)
    os.read(reader, 1)


run(attack)
