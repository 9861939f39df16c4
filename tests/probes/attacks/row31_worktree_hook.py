from inside import run


def attack(target):
    with open(f"{target.repository}/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")


run(attack)
