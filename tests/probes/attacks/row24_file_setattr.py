import struct

from calls import AT_FDCWD, call
from inside import run

FS_XFLAG_NODUMP = 0x80


def attack(target):
    attributes = struct.pack("=QIIII", FS_XFLAG_NODUMP, 0, 0, 0, 0)
    call("file_setattr", AT_FDCWD, target.file.encode(), attributes, len(attributes), 0)


run(attack)
