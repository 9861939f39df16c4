from calls import AT_FDCWD, call
from inside import run

FAN_REPORT_FID, FAN_MARK_ADD, FAN_CREATE = 0x200, 1, 0x100


def attack(target):
    group = call("fanotify_init", FAN_REPORT_FID, 0)
    call("fanotify_mark", group, FAN_MARK_ADD, FAN_CREATE, AT_FDCWD, target.directory.encode())


run(attack)
