from inside import call, run


def attack(target):
    call("unshare", 0x40000000)


run(attack)
