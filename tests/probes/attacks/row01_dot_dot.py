import os

from inside import run, show


def attack(target):
    os.chdir(target.work)
    with open("../outside/secret", "rb") as file:
        show(file.read())


run(attack)
