"""Turns a name into a link and back, as fast as the kernel can, until killed.

    flip.py file|directory NAME LINK TARGET READY

NAME and LINK exchange what they are: a file (or a directory of files), and a link to TARGET. What
somebody removes or replaces meanwhile is made again. READY is a file that is made at the start.
"""

import ctypes
import os
import shutil
import sys

AT_FDCWD, RENAME_EXCHANGE = -100, 2
CONTENT = "mine, and nothing else\n"


def write(path: str) -> None:
    with open(path, "w") as file:
        file.write(CONTENT)


def make(kind: str, path: str) -> None:
    """The real thing, complete when it gets its name."""
    if kind == "file":
        write(f"{path}.made")
    else:
        os.makedirs(f"{path}.made/sub", exist_ok=True)
        write(f"{path}.made/victim.txt")
        write(f"{path}.made/sub/inner.txt")
    os.rename(f"{path}.made", path)


def clear(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.unlink(path)


def is_whole(kind: str, name: str, link: str) -> bool:
    """Whether one of both is a link, and the other has all that it should have."""
    real = [path for path in (name, link) if not os.path.islink(path)]
    if len(real) != 1:
        return False
    if kind == "file":
        return os.path.isfile(real[0])
    return os.path.exists(f"{real[0]}/victim.txt") and os.path.exists(f"{real[0]}/sub/inner.txt")


def main() -> None:
    kind, name, link, target, ready = sys.argv[1:]
    exchange = ctypes.CDLL(None).renameat2
    ends = AT_FDCWD, os.fsencode(name), AT_FDCWD, os.fsencode(link), RENAME_EXCHANGE
    while True:
        try:
            if not is_whole(kind, name, link):
                clear(f"{name}.made")
                for path in (name, link):
                    clear(path)
                os.symlink(target, link)
                make(kind, name)
            if not os.path.exists(ready):
                write(ready)
        except OSError:  # somebody was faster
            continue
        for _ in range(33):  # an odd number: what is looked at next time is the other way round
            if exchange(*ends) != 0:
                break


if __name__ == "__main__":
    main()
