import os

from inside import run


def attack(target):
    os.rename(f"{target.work}/.git", f"{target.work}/mine")
    with open(f"{target.work}/mine/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")
    os.symlink("mine", f"{target.work}/.git")


run(attack)
