import struct

from calls import call
from inside import run

MADV_COLD = 20


def attack(target):
    pidfd = call("pidfd_open", target.pid, 0)
    page = struct.pack("=QQ", target.address & ~4095, 4096)
    call("process_madvise", pidfd, page, 1, MADV_COLD, 0)


run(attack)
