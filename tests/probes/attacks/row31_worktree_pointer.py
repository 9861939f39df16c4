# What says where the repository is.
import os

from inside import run


def attack(target):
    os.unlink(f"{target.work}/.git")
    with open(f"{target.work}/.git", "w") as file:
        file.write(f"gitdir: {target.work}/elsewhere\n")


run(attack)
