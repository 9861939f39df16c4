# For root, exec gives back whatever the bounding set still has.
import os

from inside import run

CODE = """
import ctypes, os
name = os.uname().nodename.encode()
os._exit(ctypes.CDLL(None).sethostname(name, len(name)) != 0)
"""


def attack(target):
    return os.spawnv(os.P_WAIT, "/usr/bin/python3", ["python3", "-S", "-c", CODE]) == 0


run(attack)
