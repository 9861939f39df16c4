import struct

from calls import call
from inside import run

SCHED_BATCH = 3


def attack(target):
    call("sched_setattr", target.pid, struct.pack("=IIQiIQQQ", 48, SCHED_BATCH, 0, 7, 0, 0, 0, 0), 0)


run(attack)
