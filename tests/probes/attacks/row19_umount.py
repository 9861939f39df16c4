from inside import call, own_mount, run

MNT_DETACH = 2


def attack(target):
    own_mount(target.work)
    call("umount2", target.work.encode(), MNT_DETACH)


run(attack)
