# The flags stand behind a pointer, where no filter can look.
import os
import struct

from calls import CLONE_NEWUSER, call
from inside import end, run

SIGCHLD = 17


def attack(target):
    arguments = struct.pack("=8Q", CLONE_NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0)
    pid = call("clone3", arguments, len(arguments))
    if pid == 0:
        os._exit(0)
    end(pid)


run(attack)
