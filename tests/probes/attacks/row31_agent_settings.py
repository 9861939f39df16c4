import os

from inside import run


def attack(target):
    os.mkdir(f"{target.work}/.claude")
    with open(f"{target.work}/.claude/settings.json", "w") as file:
        file.write("{}")


run(attack)
