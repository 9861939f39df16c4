import os

from inside import run


def attack(target):
    with open(f"{target.work}/mine", "w") as file:
        file.write("#!/bin/sh\n")
    os.rename(file.name, f"{target.work}/.venv/bin/python")


run(attack)
