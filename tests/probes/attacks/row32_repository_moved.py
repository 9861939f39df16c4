import os

from inside import run


def attack(target):
    os.rename(f"{target.work}/.git", f"{target.work}/mine")
    os.makedirs(f"{target.work}/.git/hooks")
    with open(f"{target.work}/.git/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")


run(attack)
