# Makes a mount noexec; the other way round it would undo a read-only view.
import struct

from calls import AT_FDCWD, call, own_mount
from inside import run

MOUNT_ATTR_NOEXEC = 8


def attack(target):
    own_mount(target.work)
    attributes = struct.pack("=QQQQ", MOUNT_ATTR_NOEXEC, 0, 0, 0)
    call("mount_setattr", AT_FDCWD, target.work.encode(), 0, attributes, len(attributes))


run(attack)
