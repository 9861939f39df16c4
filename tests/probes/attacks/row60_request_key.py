from inside import call, run


def attack(target):
    call("request_key", b"user", target.name.encode(), 0, 0)


run(attack)
