# A connection without connect.
import socket

from inside import inet, run, sendmmsg


def attack(target):
    client = socket.socket()
    sendmmsg(client.fileno(), b"out", inet(target.port), socket.MSG_FASTOPEN)


run(attack)
