import os

from inside import run


def attack(target):
    os.mkdir(f"{target.folded}/.v\u017fcode")
    with open(f"{target.folded}/.v\u017fcode/tasks.json", "w") as file:
        file.write("{}")


run(attack)
