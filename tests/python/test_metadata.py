"""Mode, owner, times, attributes and flags of files: performed by the supervisor, inside write grants only."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import nono_py
import pytest
from nono_py import AccessMode, sandboxed_exec_async

from support import GENEROUS, PYTHON, caps_for, host, needs_root, outside, python, shell


def is_supervised() -> bool:
    record = nono_py.plan(caps_for(), isolation="process")
    return any(entry["enforced_by"] == "supervisor" for entry in record["boundaries"])


pytestmark = pytest.mark.skipif(not is_supervised(), reason="expected: no supervisor here: a filter of the host's refuses one")

# Every call, in every form: what it answers, and what it leaves. Run with and without a sandbox.
CALLS = r"""
import ctypes, errno, fcntl, json, os, stat, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
os.umask(0o022)
for name in ("file", "other"):
    open(name, "w").close()
os.mkdir("directory")
os.symlink("file", "link")
os.symlink("nowhere", "dangling")
os.symlink("loop", "loop")
os.mkfifo("fifo")
here = os.open(".", os.O_RDONLY)
file = os.open("file", os.O_RDONLY)
path_only = os.open("file", os.O_PATH)
link_only = os.open("link", os.O_PATH | os.O_NOFOLLOW)
log = []

def look(name):
    try:
        st = os.lstat(name)
    except OSError as error:
        return error.errno
    names = {}
    if not stat.S_ISLNK(st.st_mode):
        try:
            names = {n: os.getxattr(name, n).hex() for n in os.listxattr(name)}
        except OSError as error:
            names = error.errno
    times = [ns if ns < 10**13 else "now" for ns in (st.st_atime_ns, st.st_mtime_ns)]
    return [oct(st.st_mode), st.st_uid, st.st_gid, *times, names]

def call(name, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *words)
    log.append([name, repr(arguments[:2]), result, errno.errorcode.get(ctypes.get_errno(), 0)])
    log.append([look(n) for n in ("file", "other", "directory", "link", "dangling", "fifo")])

NUMBERS = dict(chmod=90, fchmod=91, chown=92, fchown=93, lchown=94, utime=132, setxattr=188, lsetxattr=189,
               fsetxattr=190, removexattr=197, lremovexattr=198, fremovexattr=199, utimes=235, fchownat=260,
               futimesat=261, fchmodat=268, utimensat=280, fchmodat2=452, setxattrat=463, removexattrat=466,
               file_setattr=469)
NOFOLLOW, EMPTY = 0x100, 0x1000
me, group = os.getuid(), os.getgid()
absolute = os.path.join(os.getcwd(), "file").encode()
long = b"a/" * 3000
twice = lambda *numbers: struct.pack("4q", *numbers)
for path in (b"file", absolute, b"link", b"dangling", b"loop", b"nothing", b"file/below", b"directory/../other", b"",
             b"fifo", long, b"/proc/self/fd/%d" % file, b"/dev/fd/%d" % file, b"/dev/fd/999"):
    call("chmod", path, 0o640)
    call("fchmodat", here, path, 0o604)
    call("fchmodat2", here, path, 0o600, 0)
    call("chown", path, me, group)
    call("fchownat", here, path, -1, -1, 0)
    call("utimensat", here, path, twice(1, 2, 3, 4), 0)
    call("utimes", path, twice(9, 10, 11, 12))
    call("utime", path, struct.pack("2q", 13, 14))
    call("futimesat", here, path, twice(15, 16, 17, 18))
    call("setxattr", path, b"user.a", b"value", 5, 0)
    call("removexattr", path, b"user.a")
    call("removexattr", path, b"user.none")
    if b"/fd/" in path:  # the link itself is /proc's, and outside
        continue
    call("fchmodat2", here, path, 0o666, NOFOLLOW)
    call("lchown", path, me, group)
    call("fchownat", here, path, me, group, NOFOLLOW)
    call("utimensat", here, path, twice(5, 6, 7, 8), NOFOLLOW)
    call("lsetxattr", path, b"user.b", b"", 0, 0)
    call("lremovexattr", path, b"user.b")
for fd in (file, here, path_only, link_only, 999, -1):
    if fd != path_only and fd != link_only:  # the kernel answers EBADF, the supervisor does it
        call("fchmod", fd, 0o751)
        call("fchown", fd, me, group)
        call("fsetxattr", fd, b"user.c", b"12", 2, 0)
        call("fsetxattr", fd, b"user.c", b"34", 2, 1)
        call("fremovexattr", fd, b"user.c")
    call("fchmodat2", fd, b"", 0o710, EMPTY)
    call("fchownat", fd, b"", me, group, EMPTY)
    call("utimensat", fd, b"", twice(21, 22, 23, 24), EMPTY)
    if fd not in (path_only, link_only):
        call("utimensat", fd, None, twice(25, 26, 27, 28), 0)
AT = -100
os.fchmod(here, 0o755)
for arguments in ((AT, b"file", 0o600, 0x40), (AT, None, 0o600, 0), (999, b"file", 0o600, 0), (file, b"x", 0o600, 0)):
    call("fchmodat2", *arguments)
for times in (twice(1, -1, 1, 1), twice(1, 2 * 10**9, 1, 1), twice(0, 0x3ffffffe, 0, 0x3ffffffe), 8):
    call("utimensat", here, b"file", times, 0)
call("utimes", b"file", twice(1, 1000000, 1, 1))
call("utimensat", AT, None, twice(1, 1, 1, 1), 0)
call("utimensat", here, b"file", twice(1, 1, 1, 1), 0x40)
for name in (b"user." + b"n" * 250, b"user." + b"n" * 251, b"", b"nonamespace", b"trusted.x", b"security.x", b"security.capability"):
    call("setxattr", b"file", name, b"v", 1, 0)
    call("removexattr", b"file", name)
call("setxattr", b"file", b"user.large", b"", 65537, 0)
call("setxattr", b"file", b"user.bad", 8, 5, 0)
call("setxattr", b"file", b"user.flags", b"v", 1, 2)
value = ctypes.create_string_buffer(b"new")
arguments = struct.pack("QII", ctypes.addressof(value), 3, 0)
call("setxattrat", here, b"file", 0, b"user.at", arguments, 16)
call("setxattrat", here, b"file", 0, b"user.at", arguments, 15)
call("removexattrat", here, b"file", 0, b"user.at")
call("chmod", 8, 0o600)
call("file_setattr", here, b"file", b"\0" * 24, 24, 0)
call("file_setattr", here, b"file", b"\0" * 24, 20, 0)

def flags(fd, request, argument):
    try:
        fcntl.ioctl(fd, request, argument)
        log.append(["ioctl", hex(request), 0])
    except OSError as error:
        log.append(["ioctl", hex(request), error.errno])

current = bytearray(8)
try:
    fcntl.ioctl(file, 0x80086601, current)
except OSError:
    pass
for fd in (file, here):
    flags(fd, 0x40086602, bytes(current[:4]) + b"\0" * 4)
    flags(fd, 0x401c5820, b"\0" * 28)
print(json.dumps(log))
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="expected: these numbers are x86-64's")
def test_inside_a_grant_each_call_answers_as_without_a_sandbox(work: Path) -> None:
    logs = []
    for name, run in (("inside", python), ("outside", None)):
        (work / name).mkdir()
        done = run(caps_for(work), CALLS, work / name, isolation="process") if run else outside(CALLS, work / name)
        assert done.stdout, done.stderr
        logs.append(json.loads(done.stdout.replace(str(work / name).encode(), b"HERE")))
    ours, theirs = logs
    assert len(ours) == len(theirs) > 500
    assert ["setxattrat", "(3, b'file')", 0, 0] in theirs
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        # A root's sandbox has no CAP_SYS_ADMIN and no CAP_SETFCAP: these names are not for it.
        if "trusted." in str(b) or "security." in str(b):
            continue
        if isinstance(b[0], list):  # what is there now, without what only such privilege has left behind
            a, b = ([e[:5] if isinstance(e, list) else e for e in side] for side in (a, b))
        assert a == b, (i, theirs[i - 1], theirs[i])


def test_nothing_outside_changes(work: Path) -> None:
    (work / "ours").mkdir()
    target = work / "outside"
    target.write_text("")
    os.utime(target, (1, 1))
    before = target.stat()
    code = """
import os, sys
target, ours = sys.argv[1:]
os.chdir(ours)
os.symlink(target, "link")
os.symlink(os.path.dirname(target), "up")
names = (target, "link", "up/outside", "../outside", "/proc/self/root" + target, "/proc/self/cwd/../outside")
acts = (lambda n: os.chmod(n, 0o4777), lambda n: os.chown(n, 1, 1), lambda n: os.utime(n, (2, 2)),
        lambda n: os.setxattr(n, "user.x", b"y"), lambda n: os.removexattr(n, "user.x"))
answers = set()
for name in names:
    for act in acts:
        try:
            act(name)
            answers.add(f"done: {name}")
        except OSError as error:
            answers.add(error.errno)
print(sorted(map(str, answers)))
"""
    caps = caps_for(work / "ours")
    caps.allow_path("/proc", AccessMode.READ)
    result = python(caps, code, target, work / "ours", isolation="process")
    assert b"done" not in result.stdout, result
    after = target.stat()
    assert (after.st_mode, after.st_uid, after.st_mtime, after.st_ctime_ns) == (
        before.st_mode, before.st_uid, before.st_mtime, before.st_ctime_ns)  # fmt: skip


def test_a_read_grant_is_not_enough(work: Path) -> None:
    (work / "f").write_text("x")
    caps = caps_for()
    caps.allow_path(work, AccessMode.READ)
    result = shell(caps, f"chmod 777 {work}/f; touch -c {work}; exec 3<{work}/f; chmod 777 /dev/fd/3", isolation="process")
    assert result.stderr.count(b"Operation not permitted") == 3, result.stderr
    assert (work / "f").stat().st_mode & 0o777 == 0o644


def test_a_granted_file_may_be_changed_and_its_directory_may_not(work: Path) -> None:
    (work / "f").write_text("x")
    caps = caps_for()
    caps.allow_file(work / "f", AccessMode.READ_WRITE)
    result = shell(caps, f"chmod 600 {work}/f && ! chmod 700 {work} 2>/dev/null && echo held", isolation="process")
    assert result.stdout == b"held\n"
    assert (work / "f").stat().st_mode & 0o777 == 0o600


def test_a_device_is_not_closed_for_others(work: Path) -> None:
    caps = caps_for(work)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    before = os.stat("/dev/null")
    result = shell(caps, "chmod 600 /dev/null; chown 1 /dev/null", isolation="process")
    assert result.stderr.count(b"Operation not permitted") == 2
    assert os.stat("/dev/null").st_mode == before.st_mode


def test_what_has_no_name_may_be_changed(work: Path) -> None:
    code = """
import os, sys
os.fchmod(os.memfd_create("m"), 0o600)
os.fchmod(os.pipe()[0], 0o600)
file = os.open(sys.argv[1] + "/f", os.O_CREAT | os.O_RDWR)
os.unlink(sys.argv[1] + "/f")
os.fchmod(file, 0o600)
print("all")
"""
    assert python(caps_for(work), code, work, isolation="process").stdout == b"all\n"


def test_the_record_names_the_calls(work: Path) -> None:
    record = nono_py.plan(caps_for(work), isolation="process")
    [entry] = [e for e in record["boundaries"] if e["boundary"] == "file metadata outside writable grants"]
    assert entry["enforced_by"] == "supervisor"
    for name in ("chmod", "fchmodat2", "utimensat", "setxattr", "removexattrat", "file_setattr"):
        assert f" {name}," in entry["detail"]


@needs_root
def test_with_another_uid_the_record_says_that_nothing_holds_it(work: Path) -> None:
    record = nono_py.plan(caps_for(work), isolation="process", uid=65534)
    [entry] = [e for e in record["boundaries"] if e["boundary"].startswith("file metadata")]
    assert entry["enforced_by"] == "nothing"


def test_many_threads_and_commands_at_a_time(work: Path) -> None:
    code = """
import os, sys, threading
def work(n):
    path = f"{sys.argv[1]}/{n}"
    open(path, "w").close()
    for i in range(200):
        os.chmod(path, 0o600 + i % 0o100)
        assert os.stat(path).st_mode & 0o777 == 0o600 + i % 0o100
threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
[t.start() for t in threads]; [t.join() for t in threads]
print("done")
"""
    results: list[Any] = []

    def command(n: int) -> None:
        (work / str(n)).mkdir()
        results.append(python(caps_for(work / str(n)), code, work / str(n), isolation="process").stdout)

    threads = [threading.Thread(target=command, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [b"done\n"] * 4


def test_the_asynchronous_form(work: Path) -> None:
    (work / "f").write_text("")

    async def both() -> list[int]:
        one = sandboxed_exec_async(caps_for(work), ["/bin/chmod", "600", f"{work}/f"], isolation="process")
        two = sandboxed_exec_async(caps_for(work), ["/bin/chmod", "600", "/etc/passwd"], isolation="process")
        return [r.exit_code for r in await asyncio.gather(one, two)]

    assert asyncio.run(both()) == [0, 1]


def test_no_thread_is_left_and_none_is_started_without_need(work: Path) -> None:
    code = """
import os, time
caps = caps_for(sys.argv[1])
for _ in range(20):
    shell(caps, "true", isolation="process")
print(sorted(open(f"/proc/self/task/{t}/comm").read() for t in os.listdir("/proc/self/task")).count("nono-supervisor\\n"))
before = len(os.listdir("/proc/self/fd"))
for _ in range(50):
    assert shell(caps, f"touch {sys.argv[1]}/f; chmod 600 {sys.argv[1]}/f", isolation="process").exit_code == 0
end = time.monotonic() + 30
while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < end:
    time.sleep(0.01)
print(len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")) - before)
"""
    done = host(code, work)
    assert done.stdout == b"0\n1 0\n", done


def test_a_sandbox_in_a_sandbox_says_that_it_has_none(work: Path) -> None:
    """A chain of filters can have one supervisor: the outer one's, which still holds."""
    code = """
record = nono_py.plan(caps_for(), isolation="process")
print([e["enforced_by"] for e in record["boundaries"] if e["boundary"].startswith("file metadata")])
caps = caps_for(sys.argv[1])
nono_py.apply(caps)
record = nono_py.plan(caps_for(), isolation="process")
print([e["enforced_by"] for e in record["boundaries"] if e["boundary"].startswith("file metadata")])
"""
    done = host(code, work)
    assert done.stdout == b"['supervisor']\n['nothing']\n", done


class TestRaces:
    """What a call names is another thing by the time it is looked at: rows 4, 53 and 54 of the probes."""

    TIMES = 100_000 if os.geteuid() == 0 else 20_000  # a matter of luck: many attempts once

    def test_row04_a_link_that_is_swapped(self, work: Path) -> None:
        code = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
target, times = os.fsencode(sys.argv[1]), int(sys.argv[3])
os.chdir(sys.argv[2])
open("inside", "w").close()
os.symlink("inside", "a")
os.symlink(target, "b")
child = os.fork()
while child == 0:
    libc.renameat2(-100, b"a", -100, b"b", 2)
done = 0
for i in range(times):
    done += libc.chmod(b"a", 0o4777) == 0
os.kill(child, 9)
print(done)
"""
        self.attack(work, code)

    def test_row53_memory_that_changes(self, work: Path) -> None:
        code = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None)
target, times = os.fsencode(sys.argv[1]) + b"\\0", int(sys.argv[3])
os.chdir(sys.argv[2])
open("inside", "w").close()
text = (ctypes.c_char * 4096).from_buffer(mmap.mmap(-1, 4096))  # shared with the child
child = os.fork()
while child == 0:
    ctypes.memmove(text, target, len(target))
    ctypes.memmove(text, b"inside\\0", 7)
done = 0
for i in range(times):
    done += libc.chmod(text, 0o4777) == 0
os.kill(child, 9)
print(done)
"""
        self.attack(work, code)

    def attack(self, work: Path, code: str) -> None:
        target = work / "outside"
        target.write_text("")
        (work / "ours").mkdir()
        before = target.stat()
        result = python(caps_for(work / "ours"), code, target, work / "ours", self.TIMES, isolation="process", timeout_secs=300.0)
        assert 0 < int(result.stdout) < self.TIMES, result
        after = target.stat()
        assert (after.st_mode, after.st_ctime_ns) == (before.st_mode, before.st_ctime_ns)

    def test_row54_a_caller_that_is_killed(self, work: Path) -> None:
        """A number that is used again must not get the answer, nor be looked at in place of the caller."""
        code = """
import os, signal, sys, time
os.chdir(sys.argv[1])
open("mine", "w").close()
for i in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        while True:
            os.chmod("mine", 0o600)
    if i % 3 == 0:
        time.sleep(0.0005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
os.chmod("mine", 0o640)
print(oct(os.stat("mine").st_mode & 0o777))
"""
        result = python(caps_for(work), code, work, 2000, isolation="process")
        assert result.stdout == b"0o640\n", result


def test_row55_others_are_served_while_one_floods(work: Path) -> None:
    flood = "while True: os.chmod(sys.argv[1] + '/f', 0o600)"
    code = f"import os, sys\nopen(sys.argv[1] + '/f', 'w').close()\nos.fork(); os.fork(); os.fork()\n{flood}"
    (work / "flood").mkdir()
    stop = threading.Thread(
        target=lambda: python(caps_for(work / "flood"), code, work / "flood", isolation="process", timeout_secs=2.0)
    )
    stop.start()
    (work / "quiet").mkdir()
    for _ in range(20):
        result = shell(caps_for(work / "quiet"), f"cd {work}/quiet; touch f; chmod 600 f; stat -c %a f", isolation="process")
        assert result.stdout == b"600\n"
    stop.join(GENEROUS)
    assert not stop.is_alive()


def test_row56_pipelines_complete(work: Path) -> None:
    """A signal that comes before a call is received must not make programs fail."""
    script = "for i in $(seq 100); do seq 50 | tee f | tail -1 > g; touch -d @$i f; chmod 60$((i % 8)) g; done; wait; echo $i"
    for _ in range(2):
        result = shell(caps_for(work), f"cd {work}; {script}", isolation="process")
        assert (result.exit_code, result.stdout) == (0, b"100\n"), result


def test_row57_the_tree_ends_with_its_supervisor(work: Path) -> None:
    code = """
import threading, signal
def end():
    import time
    while not os.path.exists(sys.argv[1] + "/started"):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=end).start()
shell(caps_for(sys.argv[1]), f"cd {sys.argv[1]}; touch started; while touch -c f; do echo >> alive; done", isolation="process")
"""
    host(code, work)
    alive = work / "alive"
    for _ in range(500):
        size = alive.stat().st_size if alive.exists() else 0
        threading.Event().wait(0.1)
        if (alive.stat().st_size if alive.exists() else 0) == size:
            return
    pytest.fail("the command goes on without its host")
