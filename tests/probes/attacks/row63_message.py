import ctypes

from calls import call
from inside import run, show

IPC_NOWAIT = 0o4000


def attack(target):
    buffer = ctypes.create_string_buffer(108)
    call("msgrcv", target.msg, buffer, 100, 0, IPC_NOWAIT)
    show(buffer.raw)


run(attack)
