# To what it is already.
import os

from calls import call
from inside import run


def attack(target):
    name = os.uname().nodename.encode()
    call("sethostname", name, len(name))


run(attack)
