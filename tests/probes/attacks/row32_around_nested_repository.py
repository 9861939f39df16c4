# The directory around it is moved, and one of its name made.
import os

from inside import run


def attack(target):
    os.rename(f"{target.work}/sub", f"{target.work}/mine")
    os.makedirs(f"{target.work}/sub/.git/hooks")
    with open(f"{target.work}/sub/.git/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")


run(attack)
