from inside import call, run


def attack(target):
    call("unshare", 0x20000)


run(attack)
