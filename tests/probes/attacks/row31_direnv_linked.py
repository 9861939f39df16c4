import os

from inside import run


def attack(target):
    with open(f"{target.work}/mine", "w") as file:
        file.write("./program\n")
    os.link(file.name, f"{target.work}/.envrc")


run(attack)
