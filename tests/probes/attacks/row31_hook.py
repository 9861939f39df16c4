import os

from inside import run


def attack(target):
    with open(f"{target.work}/.git/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(file.name, 0o755)


run(attack)
