from calls import call
from inside import run

WHO_GROUP = 2
BEST_EFFORT_7 = 2 << 13 | 7


def attack(target):
    call("ioprio_set", WHO_GROUP, target.pid, BEST_EFFORT_7)


run(attack)
