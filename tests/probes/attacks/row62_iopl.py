from inside import call, run


def attack(target):
    call("iopl", 3)


run(attack)
