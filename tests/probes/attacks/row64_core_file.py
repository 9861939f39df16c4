import os
import resource
import signal

from inside import run


def attack(target):
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    os.chdir(target.work)
    os.kill(os.getpid(), signal.SIGSEGV)


run(attack)
