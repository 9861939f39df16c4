# It had this name before.
from inside import run, show


def attack(target):
    with open(target.other, "rb") as file:
        show(file.read())


run(attack)
