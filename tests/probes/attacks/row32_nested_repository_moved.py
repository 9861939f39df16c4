import os

from inside import run


def attack(target):
    os.rename(f"{target.work}/sub/.git", f"{target.work}/sub/mine")
    os.makedirs(f"{target.work}/sub/.git/hooks")
    with open(f"{target.work}/sub/.git/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")


run(attack)
