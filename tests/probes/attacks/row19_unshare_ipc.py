from inside import call, run


def attack(target):
    call("unshare", 0x08000000)


run(attack)
