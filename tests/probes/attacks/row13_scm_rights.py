# A server outside hands its descriptor to whoever asks.
import os
import socket

from inside import run, show


def attack(target):
    client = socket.socket(socket.AF_UNIX)
    client.connect(target.name)
    _, descriptors, _, _ = socket.recv_fds(client, 1, 1)
    show(os.pread(descriptors[0], 100, 0))


run(attack)
