from inside import call, run


def attack(target):
    call("chroot", b"/")


run(attack)
