# To what it is already.
import os

from inside import call, run


def attack(target):
    name = os.uname().nodename.encode()
    call("sethostname", name, len(name))


run(attack)
