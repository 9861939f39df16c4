import fcntl
import os
import struct

from inside import run

FS_IOC_SETFLAGS = 0x40086602
FS_NODUMP_FL = 0x40


def attack(target):
    fd = os.open(target.file, os.O_RDONLY)
    fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack("=q", FS_NODUMP_FL))


run(attack)
