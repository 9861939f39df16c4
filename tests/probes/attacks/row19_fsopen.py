from calls import AT_FDCWD, call, own_mounts
from inside import run

FSCONFIG_CMD_CREATE = 6
MOVE_MOUNT_F_EMPTY_PATH = 4


def attack(target):
    own_mounts()
    context = call("fsopen", b"tmpfs", 0)
    call("fsconfig", context, FSCONFIG_CMD_CREATE, 0, 0, 0)
    mount = call("fsmount", context, 0, 0)
    call("move_mount", mount, b"", AT_FDCWD, target.work.encode(), MOVE_MOUNT_F_EMPTY_PATH)


run(attack)
