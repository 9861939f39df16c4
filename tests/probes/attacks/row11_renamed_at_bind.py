# What is bound here may be reached: theirs gets the name of ours as soon as that is bound.
import os
import socket
import threading
import time

from inside import run

ENOUGH = 5.0  # seconds


def attack(target):
    os.chdir(target.directory)
    theirs = os.path.basename(target.name)
    over = threading.Event()

    def rename():
        while not over.is_set():
            os.rename(theirs, "mine")
            os.rename("mine", theirs)

    thread = threading.Thread(target=rename)
    thread.start()
    end = time.monotonic() + ENOUGH
    try:
        while True:
            try:
                socket.socket(socket.AF_UNIX).bind("mine")
            except OSError:
                pass
            for name in ("mine", theirs):
                with socket.socket(socket.AF_UNIX) as client:
                    client.setblocking(False)
                    error = client.connect_ex(name)
                    if error == 0:
                        client.sendall(b"out")
            if time.monotonic() > end:
                raise OSError(error, os.strerror(error))
    finally:
        over.set()
        thread.join()


run(attack)
