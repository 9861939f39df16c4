# Where there is none yet, around everything that is granted.
import os

from inside import run


def attack(target):
    os.makedirs(f"{target.work}/.git/hooks")
    with open(f"{target.work}/.git/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")


run(attack)
