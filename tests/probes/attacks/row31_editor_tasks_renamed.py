# The directory gets its name when the file is in it.
import os

from inside import run


def attack(target):
    os.mkdir(f"{target.work}/mine")
    with open(f"{target.work}/mine/tasks.json", "w") as file:
        file.write("{}")
    os.rename(f"{target.work}/mine", f"{target.work}/.vscode")


run(attack)
