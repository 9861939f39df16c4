import ctypes

from calls import call
from inside import run

SYSLOG_ACTION_READ_ALL = 3


def attack(target):
    call("syslog", SYSLOG_ACTION_READ_ALL, ctypes.create_string_buffer(1000), 1000)


run(attack)
