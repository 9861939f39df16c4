from calls import AT_FDCWD, call
from inside import run


def attack(target):
    call("fchmodat2", AT_FDCWD, target.file.encode(), 0o4777, 0)


run(attack)
