from inside import call, run


def attack(target):
    call("unshare", 0x10000000)


run(attack)
