from calls import call
from inside import run

UFFD_USER_MODE_ONLY = 1


def attack(target):
    call("userfaultfd", UFFD_USER_MODE_ONLY)


run(attack)
