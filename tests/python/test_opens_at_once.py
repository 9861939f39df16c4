"""Opens that the thread which receives calls performs itself, from held grants: they answer as the cage alone does."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from nono_py import AccessMode, CapabilitySet, sandboxed_exec

from hosts import eventually
from support import PYTHON, can_use_namespaces, needs_supervisor, python, system_caps

ISOLATIONS = ["process", *(["namespaces", "strict"] if can_use_namespaces() else [])]

# Opens all of these in all of these ways, and says what came of it: an errno, or what was read and what an ioctl answers.
OPENS = r"""
import errno, fcntl, itertools, json, os, sys
paths, answers = json.loads(sys.argv[1]), []
ways = [os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_DIRECTORY, os.O_RDONLY | os.O_NOFOLLOW, os.O_WRONLY | os.O_APPEND,
        os.O_WRONLY | os.O_CREAT, os.O_RDWR | os.O_CREAT, os.O_RDONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT | os.O_EXCL,
        os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR | os.O_TMPFILE]
for path, flags in itertools.product(paths, ways):
    try:
        fd = os.open(path, flags | os.O_NONBLOCK, 0o640)
    except OSError as error:
        answers.append([path, flags, errno.errorcode[error.errno]])
        continue
    said = []
    for ask in (lambda: os.read(fd, 20).decode(), lambda: fcntl.ioctl(fd, 0x1234)):
        try:
            said.append(ask())
        except OSError as error:
            said.append(errno.errorcode[error.errno])
    st = os.fstat(fd)
    answers.append([path, flags, *said, oct(st.st_mode), hex(fcntl.fcntl(fd, fcntl.F_GETFL))])
    os.close(fd)
print(json.dumps(answers))
"""


def lay(work: Path) -> list[str]:
    """A tree with ways out of it. The paths to be opened; some are made by that."""
    for name in ("ws/plain", "ws/read", "ws/read/write", "ws/only", "library/deep", "outside"):
        (work / name).mkdir(parents=True)
        (work / name / "file").write_text(name)
    (work / "ws" / "single").write_text("single")
    os.symlink(work / "outside" / "file", work / "ws" / "out")
    os.symlink("../../outside", work / "ws" / "plain" / "out")
    os.symlink("../library/file", work / "ws" / "library")
    os.symlink(work / "library", work / "alias")
    os.symlink("plain", work / "ws" / "here")
    os.link(work / "outside" / "file", work / "ws" / "linked")
    os.mkfifo(work / "ws" / "fifo")
    if os.geteuid() == 0:
        os.mknod(work / "ws" / "device", 0o20666, os.makedev(1, 5))
    names = ["ws/plain/file", "ws/read/file", "ws/read/write/file", "ws/only/file", "library/deep/file", "outside/file", "ws/single",
             "ws/out", "ws/plain/out/file", "ws/library", "alias/deep/file", "ws/here/file", "ws/linked", "ws/fifo", "ws/device",
             "ws", "ws/plain", "ws/plain/", "ws/../outside/file", "ws/plain/../../outside/file", "ws/read/../plain/file",
             "ws//plain//file", "ws/./plain/file", "ws/nothing", "ws/nothing/below", "ws/plain/file/below", "ws/read/nothing",
             "ws/plain/new", "ws/read/write/new", "ws/only/new", "library/new", "mounted/file", "mounted/new"]  # fmt: skip
    absolute = [str(work / name) for name in names]
    relative = [name.removeprefix("ws/plain/") if name.startswith("ws/plain/") else "../../" + name for name in names]
    return [*absolute, *relative, "/lib/os-release", "/usr/lib/os-release", "/etc/hostname", "/dev/null", "/dev/full"]


def grants(work: Path) -> CapabilitySet:
    caps = system_caps()
    caps.allow_path(work / "ws" / "plain", AccessMode.READ_WRITE)
    caps.allow_path(work / "ws" / "read", AccessMode.READ)
    caps.allow_path(work / "ws" / "read" / "write", AccessMode.READ_WRITE)
    caps.allow_path(work / "ws" / "only", AccessMode.WRITE)
    caps.allow_path(work / "ws" / "only", AccessMode.READ)
    caps.allow_path(work / "alias", AccessMode.READ)
    caps.allow_file(work / "ws" / "single", AccessMode.READ_WRITE)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.allow_file("/dev/full", AccessMode.READ)
    return caps


def wide_grants(work: Path) -> CapabilitySet:
    caps = system_caps()
    caps.allow_path(work / "ws", AccessMode.READ_WRITE)
    caps.allow_path(work / "library", AccessMode.READ)
    caps.allow_path(work / "mounted", AccessMode.READ_WRITE)
    return caps


@pytest.mark.parametrize("granted", [grants, wide_grants])
@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_opens_answer_as_the_cage_does(work: Path, granted: object, isolation: str) -> None:
    needs_supervisor()
    answers = []
    for is_supervised in (False, True):
        place = work / "place"
        place.mkdir()
        (place / "mounted").mkdir()
        is_mounted = subprocess.run(["mount", "-t", "tmpfs", "none", place / "mounted"], capture_output=True, check=False).returncode == 0
        try:
            paths = lay(place)
            caps = granted(place)  # type: ignore[operator]
            caps.block_network()
            if is_supervised:
                # With a letter that may be folded, the place of what was opened is asked of the kernel.
                caps.deny_path("**/never-there" if granted is grants else "**/nie-da-gewe\u00dfen")
            result = python(caps, OPENS, json.dumps(paths), isolation=isolation, cwd=str(place / "ws" / "plain"))
            assert result.exit_code == 0, result.stderr
            answers.append(json.loads(result.stdout))
        finally:
            if is_mounted:
                subprocess.run(["umount", "-l", place / "mounted"], check=True)
            subprocess.run(["rm", "-rf", place], check=True)
    caged, supervised = answers
    assert len(caged) > 800
    assert any(len(answer) > 3 for answer in caged)
    assert [pair for pair in zip(caged, supervised, strict=True) if pair[0] != pair[1]] == []


def threads(name: str) -> int:
    """How many of this process have that name."""
    count = 0
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            count += (task / "comm").read_text() == f"{name}\n"
    return count


def protected_work(work: Path) -> CapabilitySet:
    caps = system_caps()
    caps.allow_path(work, AccessMode.READ_WRITE)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.deny_path("**/.env")
    return caps


def test_an_open_in_a_grant_wakes_no_confined_thread(work: Path) -> None:
    """What programs open again and again: their libraries by way of /lib, files of the workspace, /dev/null."""
    needs_supervisor()
    script = "cat /lib/os-release /etc/ld.so.cache > /dev/null; echo x > new; cat new > copy; cat $PWD/copy nothing; echo > ready; read line"
    reader, writer = os.pipe()
    seen: list[tuple[int, int]] = []

    def count() -> None:
        eventually((work / "ready").exists)
        seen.append((threads("nono-supervisor"), threads("nono-hand")))
        os.write(writer, b"\n")

    counting = threading.Thread(target=count)
    counting.start()
    env = [("PATH", "/usr/bin:/bin"), ("HOME", "/")]
    result = sandboxed_exec(protected_work(work), ["/bin/sh", "-c", script], cwd=str(work), stdin=reader, isolation="process", env=env)
    counting.join()
    os.close(reader)
    os.close(writer)
    assert result.stdout == b"x\n"
    assert b"nothing: No such file" in result.stderr
    assert seen in ([(1, 0)], [(2, 0)])  # two where the machine is slow to wake the caller


READS = r"""
import os, sys
count, processes = int(sys.argv[1]), int(sys.argv[2])
for number in range(processes):
    with open(f"file{number}", "w") as file:
        file.write(str(number))
children = []
for number in range(processes):
    if (child := os.fork()) == 0:
        for turn in range(count):
            if turn == 1:
                os.close(os.open(f"ready{number}", os.O_WRONLY | os.O_CREAT))
            fd = os.open(f"file{number}" if turn % 2 else f"{os.getcwd()}/file{number}", os.O_RDONLY)
            if os.read(fd, 10) != str(number).encode():
                os._exit(1)
            os.close(fd)
        os._exit(0)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


@pytest.mark.parametrize("processes", [1, 2, 7])
def test_each_call_gets_its_own_answer(work: Path, processes: int) -> None:
    """However many threads take turns to receive."""
    needs_supervisor()
    result = sandboxed_exec(protected_work(work), [PYTHON, "-I", "-S", "-c", READS, "20000", str(processes)], cwd=str(work), isolation="process")
    assert result.stdout.decode() == f"{[0] * processes}\n", result
    eventually(lambda: threads("nono-supervisor") == 0)


def test_threads_end_in_the_middle_of_a_turn(work: Path) -> None:
    needs_supervisor()
    for _ in range(10):
        for ready in work.glob("ready*"):
            ready.unlink()
        command = [PYTHON, "-I", "-S", "-c", READS, "100000000", "2"]
        result = sandboxed_exec(protected_work(work), command, cwd=str(work), isolation="process", timeout_secs=0.5)
        assert result.exit_code == 124, result
        assert (work / "ready0").exists()
        eventually(lambda: threads("nono-supervisor") + threads("nono-hand") == 0)


MOVES = r"""
import os, sys
os.chdir("d")
for i in range(2000):
    os.rename("../d", "../e")
    with open("f") as file:  # relative to a directory that has just got another name
        assert file.read() == "x"
    os.rename("../e", "../d")
os.mkdir("gone")
os.chdir("gone")
os.rmdir("../gone")
for flags in (os.O_RDONLY, os.O_WRONLY | os.O_CREAT):
    try:
        os.open("f", flags)
    except FileNotFoundError:
        print("not there")
"""


def test_a_directory_that_moves(work: Path) -> None:
    needs_supervisor()
    (work / "d").mkdir()
    (work / "d" / "f").write_text("x")
    (work / "d (deleted)").mkdir()
    (work / "d" / "gone (deleted)").mkdir()
    (work / "d" / "gone (deleted)" / "f").write_text("another")
    caps = system_caps()
    caps.allow_path(work, AccessMode.READ_WRITE)
    caps.deny_path("**/.env")
    result = sandboxed_exec(caps, [PYTHON, "-I", "-S", "-c", MOVES], cwd=str(work), isolation="process")
    assert result.stdout == b"not there\n" * 2, result
    assert (work / "d" / "gone (deleted)" / "f").read_text() == "another"
