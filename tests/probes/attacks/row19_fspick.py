from inside import AT_FDCWD, call, own_mount, run


def attack(target):
    own_mount(target.work)
    call("fspick", AT_FDCWD, target.work.encode(), 0)


run(attack)
