# What may not be read, seen through a directory that may.
from calls import call, own_mounts
from inside import run, show

MS_BIND = 0x1000


def attack(target):
    own_mounts()
    call("mount", target.secret.rpartition("/")[0].encode(), target.work.encode(), 0, MS_BIND, 0)
    with open(f"{target.work}/secret", "rb") as file:
        show(file.read())


run(attack)
