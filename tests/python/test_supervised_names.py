"""Denied names: patterns, names that do not exist yet, protected ones; what the supervisor performs for all others."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet

from support import GENEROUS, PYTHON, can_use_namespaces, caps_for, outside, python, shell


def is_supervised() -> bool:
    record = nono_py.plan(caps_for(), isolation="process")
    return any(entry["enforced_by"] == "supervisor" for entry in record["boundaries"])


pytestmark = pytest.mark.skipif(not is_supervised(), reason="expected: no supervisor here: a filter of the host's refuses one")

# Every call that opens, makes, moves, links or removes a name: what it answers, and what it leaves.
CALLS = r"""
import ctypes, errno, json, os, stat, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
log = []
NUMBERS = dict(open=2, rename=82, mkdir=83, rmdir=84, creat=85, link=86, unlink=87, symlink=88, mknod=133, openat=257,
               mkdirat=258, mknodat=259, unlinkat=263, renameat=264, linkat=265, symlinkat=266, renameat2=316,
               truncate=76, openat2=437)
AT, NOFOLLOW, FOLLOW, EMPTY, REMOVEDIR = -100, 0x100, 0x400, 0x1000, 0x200

def tree():
    found = []
    for directory, names, files in os.walk("."):
        for name in sorted(names + files):
            st = os.lstat(os.path.join(directory, name))
            link = os.readlink(os.path.join(directory, name)) if stat.S_ISLNK(st.st_mode) else ""
            size = st.st_size if stat.S_ISREG(st.st_mode) else 0
            found.append([directory, name, oct(st.st_mode), st.st_nlink, size, link])
    return sorted(found)

def call(name, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *words)
    error = errno.errorcode.get(ctypes.get_errno(), 0)
    entry = [name, repr(arguments), result, error]
    if name.startswith(("open", "creat")) and result >= 0:
        import fcntl
        st = os.fstat(result)
        flags = fcntl.fcntl(result, fcntl.F_GETFL)
        entry += [oct(st.st_mode), hex(flags & ~NOFOLL), fcntl.fcntl(result, fcntl.F_GETFD)]
        if stat.S_ISREG(st.st_mode) and flags & 3 in (1, 2) and not flags & os.O_PATH:
            os.write(result, b"text")
        os.close(result)
    log.append(entry)
    if name not in ("open", "openat", "openat2") or arguments[-1] == 0o640:
        log.append(tree())

def lay():
    os.system("chmod -R u+rwx . ../outside; rm -rf ./* ./.[a-z]* ../outside/*; echo 1 > ../outside/file")
    os.umask(0o027)
    for name in ("file", "other", "full"):
        with open(name, "w") as file:
            file.write("content")
    os.makedirs("directory/inner")
    open("directory/kept", "w").close()
    os.mkdir("empty")
    os.symlink("file", "link")
    os.symlink("directory", "to-directory")
    os.symlink("made-through-link", "dangling")
    os.symlink(os.path.join(os.getcwd(), "made-through-absolute-link"), "dangling-absolute")
    os.symlink("to-loop", "loop")
    os.symlink("loop", "to-loop")
    os.symlink("nowhere/below", "dangling-directory")
    os.mkfifo("fifo")

lay()
here = os.open(".", os.O_RDONLY)
below = os.open("directory", os.O_RDONLY)
file = os.open("file", os.O_RDWR)
absolute = os.getcwd().encode()
RD, WR, RW, CREAT, EXCL, TRUNC, APPEND, NONBLOCK, DIRECTORY, NOFOLL, CLOEXEC, PATH, TMP = (
    0, 1, 2, 0o100, 0o200, 0o1000, 0o2000, 0o4000, 0o200000, 0o400000, 0o2000000, 0o10000000, 0o20200000)
paths = [b"file", b"./directory//kept", absolute + b"/file", b"link", b"to-directory/kept", b"to-directory", b"nothing",
         b"nothing/below", b"file/below", b"dangling", b"dangling-absolute", b"dangling-directory", b"loop", b"directory",
         b"directory/", b"file/", b"nothing/", b"", b".", b"..", b"/", b"a/" * 2500, b"n" * 256, b"fifo",
         b"/proc/self/fd/%d" % file, b"/dev/fd/%d" % file, b"/dev/fd/999", b"/dev/null", b"directory/../other",
         b"new\nline", b"inv\xff\xfealid", absolute + b"/../outside/file", absolute + b"/../outside/new"]
for path in paths:
    is_fifo = path == b"fifo"
    for flags in (RD, WR, RW, RW | TRUNC, WR | APPEND, RD | DIRECTORY, RD | NOFOLL, WR | CLOEXEC, PATH, PATH | NOFOLL,
                  RD | TRUNC, PATH | DIRECTORY, 3, RW | DIRECTORY):
        call("open", path, flags | (NONBLOCK if is_fifo else 0), 0)
    for flags in (CREAT | WR, CREAT | WR | EXCL, CREAT | RD, CREAT | RW | TRUNC, CREAT | RW | NOFOLL, TMP | RW):
        call("openat", here, path, flags | (NONBLOCK if is_fifo else 0), 0o640)
    lay()
os.chdir(".")
for resolve in (0, 1, 2, 4, 8, 16):
    for path in (b"file", b"to-directory/kept", b"../x", b"/file", b"link", b"new"):
        for flags in (RD, CREAT | RW):
            call("openat2", here, path, struct.pack("3Q", flags, 0o600 if flags else 0, resolve), 24)
    lay()
for how, size in ((struct.pack("3Q", 0, 0, 0), 23), (struct.pack("4Q", 0, 0, 0, 1), 32), (struct.pack("4Q", 0, 0, 0, 0), 32),
                  (struct.pack("3Q", 1 << 40, 0, 0), 24), (struct.pack("3Q", 0, 0o600, 0), 24), (struct.pack("3Q", 0, 0, 1 << 30), 24)):
    call("openat2", here, b"file", how, size)
call("open", 8, 0, 0)
call("openat", 999, b"file", 0, 0)
call("openat", file, b"x", 0, 0)
call("openat", 999, absolute + b"/file", 0, 0)
for path in paths:
    if path.startswith((b"/proc", b"/dev")):
        continue
    call("mkdir", path, 0o777)
    call("mkdirat", below, path, 0o1700)
    call("rmdir", path)
    call("mknod", path, stat.S_IFIFO | 0o666, 0)
    call("mknodat", below, path, stat.S_IFREG | 0o644, 0)
    call("symlink", b"target", path)
    call("symlinkat", b"target", below, path)
    call("link", b"other", path)
    call("link", path, b"linked")
    call("linkat", here, path, below, b"followed", FOLLOW)
    call("truncate", path, 3)
    call("truncate", path, -1)
    call("unlink", path)
    call("creat", path, 0o666)
    call("unlinkat", below, path, 0)
    lay()
    call("rename", b"other", path)
    lay()
    call("rename", path, b"moved")
    lay()
    call("rename", b"empty", path)
    lay()
    for flags in (1, 2, 3, 8):
        call("renameat2", here, b"other", here, path, flags)
        lay()
call("mknod", b"device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
call("mknod", b"plain", 0o600, 0)
call("mknod", b"socket", stat.S_IFSOCK | 0o600, 0)
call("linkat", AT, b"/proc/self/fd/%d" % file, AT, b"by-descriptor", FOLLOW)
call("linkat", here, b"link", here, b"link-itself", 0)
call("linkat", here, b"file", here, b"bad", 0x40)
call("unlinkat", here, b"file", 0x40)
call("symlink", b"", b"empty-link")
for mask in (0, 0o077, 0o777):
    os.umask(mask)
    call("open", b"masked%o" % mask, CREAT | WR, 0o6666)
    call("mkdir", b"masked-directory%o" % mask, 0o7777)
json.dump(log, sys.stdout)
"""


def pattern_of(kind: str, caps: CapabilitySet) -> CapabilitySet:
    if kind == "all":
        caps.deny_path("**/never-there")
    else:
        caps.deny_path("**/never-made")
    return caps


@pytest.mark.parametrize("kind", ["all", "changes"])
@pytest.mark.parametrize("isolation", ["process", "namespaces"])
def test_every_call_answers_as_without_a_sandbox(work: Path, kind: str, isolation: str) -> None:
    if isolation == "namespaces" and not can_use_namespaces():
        pytest.skip("expected: this host allows no namespaces")
    workspace = work / "w"
    workspace.mkdir()
    (work / "outside").mkdir()
    caps = pattern_of(kind, caps_for(workspace))
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    free = json.loads(outside(CALLS, workspace).stdout)
    unsupervised = json.loads(python(outer(workspace), CALLS, workspace, isolation=isolation, cwd=str(workspace)).stdout)
    result = python(caps, CALLS, workspace, isolation=isolation, cwd=str(workspace))
    assert result.exit_code == 0, result.stderr.decode()
    supervised = json.loads(result.stdout)
    assert len(supervised) == len(free)
    # What the cage refuses by itself is none of the supervisor's: there it must answer as the cage does.
    different = [(b, c) for a, b, c in zip(free, unsupervised, supervised, strict=True) if c not in (a, b)]
    assert not different, different[:10]


def outer(workspace: Path) -> CapabilitySet:
    caps = caps_for(workspace)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    return caps
