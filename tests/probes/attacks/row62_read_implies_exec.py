from inside import call, run


def attack(target):
    call("personality", 0x0400000)


run(attack)
