from calls import call
from inside import run


def attack(target):
    call("request_key", b"user", target.name.encode(), 0, 0)


run(attack)
