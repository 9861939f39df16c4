# Calls of kernels to come. With these arguments none can do anything, but one that is there says so.
import errno

from calls import call
from inside import run

FIRST, LAST = 470, 511


def attack(target):
    for number in range(FIRST, LAST + 1):
        try:
            call(number, -1, -1, -1, -1, -1, -1)
        except OSError as error:
            if error.errno != errno.ENOSYS:
                return True
    raise OSError(errno.ENOSYS, "none is known")


run(attack)
