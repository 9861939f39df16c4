import os

from inside import run


def attack(target):
    os.rename(f"{target.work}/.git/hooks", f"{target.work}/mine")
    with open(f"{target.work}/mine/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")
    os.rename(f"{target.work}/mine", f"{target.work}/.git/hooks")


run(attack)
