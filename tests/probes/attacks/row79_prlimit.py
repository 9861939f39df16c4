import resource

from inside import run


def attack(target):
    resource.prlimit(target.pid, resource.RLIMIT_NOFILE, (5, 5))


run(attack)
