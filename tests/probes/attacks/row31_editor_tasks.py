import os

from inside import run


def attack(target):
    os.mkdir(f"{target.work}/.vscode")
    with open(f"{target.work}/.vscode/tasks.json", "w") as file:
        file.write("{}")


run(attack)
