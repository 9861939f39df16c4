from inside import call, run


def attack(target):
    call("personality", 0x0040000)


run(attack)
