import os

from calls import CLONE_NEWUSER, call
from inside import end, run

SIGCHLD = 17


def attack(target):
    pid = call("clone", CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    end(pid)


run(attack)
