import os

from inside import run, show


def attack(target):
    show(f"size {os.stat(target.secret).st_size}")


run(attack)
