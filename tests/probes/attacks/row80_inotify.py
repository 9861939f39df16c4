from calls import call
from inside import run

IN_ALL_EVENTS = 0xFFF


def attack(target):
    call("inotify_add_watch", call("inotify_init1", 0), target.directory.encode(), IN_ALL_EVENTS)


run(attack)
