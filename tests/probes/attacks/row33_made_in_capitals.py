import os

from inside import run


def attack(target):
    os.mkdir(f"{target.work}/.CLAUDE")
    with open(f"{target.work}/.CLAUDE/settings.json", "w") as file:
        file.write("{}")


run(attack)
