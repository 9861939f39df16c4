# A character whose bytes lie on both sides of 64 KiB.
import os

from inside import run


def attack(target):
    text = b"x" * (64 * 1024 - 1) + "\N{EURO SIGN}".encode() + b"x" * 1000 + b"\xff\n"
    while text:
        text = text[os.write(2, text) :]


run(attack)
