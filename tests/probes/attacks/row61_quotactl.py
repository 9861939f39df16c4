# Q_SYNC of a device that is not there.
from calls import unless_refused
from inside import run


def attack(target):
    unless_refused("quotactl", 0x800000 << 8, b"/dev/nono-none", 0, 0)


run(attack)
