import os

from inside import run, show


def attack(target):
    show(os.read(os.open("secret", os.O_RDONLY, dir_fd=target.directory), 100))


run(attack)
