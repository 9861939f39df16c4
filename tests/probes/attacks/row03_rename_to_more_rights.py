# From where it may only be read to where everything may be written.
import os

from inside import run


def attack(target):
    os.rename(target.file, f"{target.work}/mine")
    with open(f"{target.work}/mine", "wb") as file:
        file.write(b"changed")


run(attack)
