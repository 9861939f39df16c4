import signal
import struct

from calls import call
from inside import run

SI_QUEUE = -1


def attack(target):
    info = struct.pack("=iii", signal.SIGUSR1, 0, SI_QUEUE).ljust(128, b"\0")
    call("rt_sigqueueinfo", target.pid, signal.SIGUSR1, info)


run(attack)
