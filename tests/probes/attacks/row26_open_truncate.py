# O_TRUNC without a right to write asks for none on kernels of old.
import os

from inside import run


def attack(target):
    os.open(target.file, os.O_RDONLY | os.O_TRUNC)


run(attack)
