from inside import call, own_mounts, run


def attack(target):
    own_mounts()
    call("mount", b"none", target.work.encode(), b"tmpfs", 0, 0)


run(attack)
