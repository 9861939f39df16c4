# Held without rights, then opened by its descriptor.
import os

from inside import run, show


def attack(target):
    fd = os.open(target.file, os.O_PATH)
    with open(f"/proc/self/fd/{fd}", "rb") as file:
        show(file.read())


run(attack)
