# A meeting place that anybody outside can find by its number.
from calls import call
from inside import run

IPC_CREAT = 0o1000


def attack(target):
    call("shmget", target.key, 4096, IPC_CREAT | 0o600)


run(attack)
