import os
import socket

from inside import run


def attack(target):
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    with open(f"{target.work}/port.new", "w") as file:
        file.write(str(server.getsockname()[1]))
    os.rename(f"{target.work}/port.new", f"{target.work}/port")
    server.settimeout(20)
    server.accept()[0].sendall(b"out")


run(attack)
