"""FileTools: what each call answers, in threads, in event loops, and at the end. LangChain's view of it is tested there."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, FileError, FileTools

from support import needs_root


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


@pytest.fixture
def tools(work: Path) -> Iterator[FileTools]:
    caps = CapabilitySet()
    caps.allow_path(work, AccessMode.READ_WRITE)
    tools = FileTools(caps)
    yield tools
    tools.close()


def test_each_tool(tools: FileTools, work: Path) -> None:
    file = work / "a/b.txt"
    assert tools.write(file, "one\ntwo\n") is None
    page = tools.read(file, 1, 1)
    assert (page.content, page.start_line, page.end_line, page.total_lines, page.next_offset) == ("two", 2, 2, 2, None)
    assert tools.edit(file, "two", "2") == 1
    assert file.read_text() == "one\n2\n"
    (entry,) = tools.ls(work / "a", "/shown")
    assert (entry["path"], entry["is_dir"], entry["size"]) == ("/shown/b.txt", False, 6)
    assert tools.ls(work, work)[0] == {"path": str(work / "a"), "is_dir": True, "size": 0, "modified_at": entry_time(work / "a")}
    assert tools.glob("*.txt", work, "")[0][0]["path"] == "a/b.txt"
    assert tools.grep("2", work, "/x") == ([{"path": "/x/a/b.txt", "line": 2, "text": "2"}], False)
    assert tools.upload([(work / "c", b"\0"), ("/etc/c", b"")]) == [None, "permission_denied"]
    assert tools.download([str(work / "c"), str(work / "d")]) == [b"\0", "file_not_found"]
    assert tools.read(work / "c", binary=True).content == b"\0"
    assert tools.delete(work / "a") is None
    assert os.listdir(work) == ["c"]


def entry_time(path: Path) -> str:
    nanoseconds = path.stat().st_mtime_ns
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nanoseconds // 10**9))
    return f"{seconds}.{nanoseconds // 1000 % 10**6:06}+00:00"


@pytest.mark.parametrize("moment", [0, 1, 86399, 86400, 951782400, 4102444799, 32503680000])
def test_times_are_utc(tools: FileTools, work: Path, moment: int) -> None:
    (work / "f").touch()
    os.utime(work / "f", ns=(0, moment * 10**9 + 123456789))
    assert tools.ls(work, work)[0]["modified_at"] == entry_time(work / "f")


@pytest.mark.parametrize("moment", [-(2**63), -62135596801, -62135596800, -1, 253402300799, 253402300800, 2**63 - 1])
def test_times_that_no_calendar_has(moment: int) -> None:
    """A file system in memory takes any; they are shown as the first or the last that Python knows."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        caps = CapabilitySet()
        caps.allow_path(directory, AccessMode.READ_WRITE)
        Path(directory, "f").touch()
        os.utime(Path(directory, "f"), times=(0, moment))
        with contextlib.closing(FileTools(caps)) as tools:
            shown = datetime.fromisoformat(tools.ls(directory, directory)[0]["modified_at"])
    known = min(max(moment, -62135596800), 253402300799)
    assert shown == datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=known)


def test_errors(tools: FileTools, work: Path) -> None:
    (work / "file").write_text("a a")
    os.mkfifo(work / "fifo")
    for code, call in {
        "file_not_found": lambda: tools.read(work / "no"),
        "not_a_directory": lambda: tools.ls(work / "file", work),
        "is_directory": lambda: tools.write(work, ""),
        "not_a_file": lambda: tools.read(work / "fifo"),
        "permission_denied": lambda: tools.read("/etc/passwd"),
        "invalid_path": lambda: tools.read(f"{work}/{'x' * 300}"),
        "already_exists": lambda: tools.write(work / "file", "", replace=False),
        "string_not_found": lambda: tools.edit(work / "file", "b", ""),
        "multiple_occurrences": lambda: tools.edit(work / "file", "a", ""),
        "invalid_pattern": lambda: tools.glob("../*", work, work),
    }.items():
        with pytest.raises(FileError) as caught:
            call()
        assert str(caught.value) == code
    with pytest.raises(ValueError):
        tools.edit(work / "file", "", "x")
    with pytest.raises(UnicodeEncodeError):
        tools.write(work / "file", "\ud800")
    with pytest.raises(TypeError):
        tools.read(1)
    assert (work / "file").read_text() == "a a"


@pytest.mark.filterwarnings("error")
def test_a_sandbox_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="isolation"):
        FileTools(CapabilitySet(), isolation="none")


def test_closed_tools_refuse(tools: FileTools, work: Path) -> None:
    tools.close()
    tools.close()
    with pytest.raises(RuntimeError, match="closed"):
        tools.ls(work, work)


def test_names_that_are_not_text(tools: FileTools, work: Path) -> None:
    name = os.fsencode(work) + b"/\xff\n.txt"
    tools.upload([(os.fsdecode(name), b"content")])
    assert os.listdir(os.fsencode(work)) == [b"\xff\n.txt"]
    assert tools.ls(work, "/")[0]["path"] == "/\ufffd\n.txt"
    assert tools.glob("*.txt", work, "")[0][0]["path"] == "\ufffd\n.txt"
    assert tools.download([os.fsdecode(name)]) == [b"content"]


@pytest.mark.asyncio
async def test_async_twins(tools: FileTools, work: Path) -> None:
    file = work / "a.txt"
    await tools.awrite(file, "one\n")
    assert await tools.aedit(file, "one", "two") == 1
    assert (await tools.aread(file)).content == "two"
    assert len(await tools.als(work, work)) == 1
    assert len((await tools.aglob("*", work, work))[0]) == 1
    assert len((await tools.agrep("two", work, work))[0]) == 1
    assert await tools.aupload([(work / "b", b"b")]) == [None]
    assert await tools.adownload([str(work / "b")]) == [b"b"]
    await tools.adelete(file)
    with pytest.raises(FileError, match="file_not_found"):
        await tools.aread(file)


@pytest.mark.asyncio
async def test_hundreds_at_once_in_one_loop(tools: FileTools, work: Path) -> None:
    async def one(number: int) -> bool:
        file = work / str(number)
        await tools.awrite(file, str(number))
        return (await tools.aread(file)).content == str(number)

    assert all(await asyncio.gather(*(one(number) for number in range(500))))


def test_loops_one_after_another_and_beside(tools: FileTools, work: Path) -> None:
    def use(number: int) -> None:
        async def once() -> None:
            await tools.awrite(work / str(number), "x")

        for _ in range(20):
            asyncio.run(once())

    before = len(os.listdir("/proc/self/fd"))
    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(os.listdir(work)) == 4
    asyncio.run(tools.als(work, work))  # lets go of the closed loops
    assert len(os.listdir("/proc/self/fd")) < before + 30


@pytest.fixture
def deep(work: Path) -> Path:
    """A tree that takes a while."""
    for number in range(300):
        (work / f"d{number}/e/f").mkdir(parents=True)
    return work


@pytest.mark.asyncio
async def test_a_cancelled_search_ends(tools: FileTools, deep: Path) -> None:
    for _ in range(20):
        task = asyncio.ensure_future(tools.aglob("*", deep, deep))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await tools.aglob("*", deep, deep) == ([], None)


def test_the_gil_is_free_meanwhile(tools: FileTools, work: Path) -> None:
    (work / "large").write_bytes(b"x" * 50_000_000)
    turns = 0
    ended = threading.Event()

    def count() -> None:
        nonlocal turns
        while not ended.is_set():
            turns += 1
            time.sleep(0.0005)

    thread = threading.Thread(target=count)
    thread.start()
    for _ in range(5):
        tools.grep("needle", work, work)
    ended.set()
    thread.join()
    assert turns > 10


SIGNALLED = """
import os, signal, sys, threading
from nono_py import *
work = sys.argv[1]
caps = CapabilitySet()
caps.allow_path(work, AccessMode.READ_WRITE)
tools = FileTools(caps)
tools.ls(work, work)
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, 0.2, 0.05)
try:
    while True:
        tools.grep("needle", work, work)
except KeyboardInterrupt:
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("interrupted")
print(len(tools.ls(work, work)))
"""


def test_interrupts_reach_a_waiting_caller(work: Path) -> None:
    (work / "large").write_bytes(b"x" * 20_000_000)
    result = subprocess.run([sys.executable, "-c", SIGNALLED, work], capture_output=True, text=True, timeout=60)
    assert result.stdout == "interrupted\n1\n", result.stderr


LEFT_OPEN = """
import asyncio, sys, threading
from nono_py import *
work = sys.argv[1]
caps = CapabilitySet()
caps.allow_path(work, AccessMode.READ_WRITE)
tools = FileTools(caps)

async def main():
    pending = [asyncio.ensure_future(tools.agrep("x", work, work)) for _ in range(20)]
    await asyncio.sleep(0)

asyncio.run(main())
threading.Thread(target=lambda: [tools.ls(work, work) for _ in range(100000)], daemon=True).start()
tools.write(work + "/end", "")
print("end")
"""


def test_a_process_ends_with_work_under_way(work: Path) -> None:
    (work / "large").write_bytes(b"x\n" * 5_000_000)
    for _ in range(5):
        result = subprocess.run([sys.executable, "-c", LEFT_OPEN, work], capture_output=True, text=True, timeout=60)
        assert (result.returncode, result.stdout) == (0, "end\n"), result.stderr


def test_a_fork_has_tools_of_its_own(tools: FileTools, work: Path) -> None:
    tools.write(work / "file", "parent")
    child = os.fork()
    if child == 0:
        try:
            tools.edit(work / "file", "parent", "child")
            tools.close()
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert tools.read(work / "file").content == "child"


def tasks() -> set[str]:
    return set(os.listdir("/proc/self/task"))


def test_threads_are_made_when_needed_and_end(work: Path) -> None:
    caps = CapabilitySet()
    caps.allow_path(work, AccessMode.READ_WRITE)
    before = tasks()  # those of other tests may be about to end
    tools = FileTools(caps)
    assert not tasks() - before
    tools.ls(work, work)
    started = tasks() - before
    assert started
    tools.close()
    for _ in range(1000):  # the kernel takes a moment to forget them
        if not started & tasks():
            break
        time.sleep(0.01)
    assert not started & tasks()


def test_the_host_stays_as_it_was(tools: FileTools, work: Path) -> None:
    """Its threads give up what the caller keeps: affinity, umask, directory, capabilities."""
    affinity, directory = os.sched_getaffinity(0), os.getcwd()
    mask = os.umask(0o027)
    try:
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.READ_WRITE)
        FileTools(caps).write(work / "sub/file", "x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(mask)
    assert (work / "sub/file").stat().st_mode & 0o777 == 0o640
    assert (work / "sub").stat().st_mode & 0o777 == 0o750
    assert (os.sched_getaffinity(0), os.getcwd()) == (affinity, directory)
    assert Path("/etc/hostname").exists() and open("/etc/passwd").read()


def test_commands_and_tools_are_held_alike(tmp_path: Path, work: Path) -> None:
    """For each path: the same answer from a shell and from the tools."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    for name in (".env", "plain", "shut/in", "read/only", ".git/config"):
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_text("x")
    (work / "far").symlink_to(outside / "file")
    (work / "near").symlink_to("plain")
    caps = CapabilitySet()
    for system in ("/usr", "/bin", "/lib", "/lib64"):
        if Path(system).exists():
            caps.allow_path(system, AccessMode.READ)
    caps.allow_path(work, AccessMode.READ)
    for name in ("plain", ".env", ".git/config"):
        caps.allow_file(work / name, AccessMode.WRITE)
    caps.allow_path(work / "shut", AccessMode.READ_WRITE)
    caps.deny_path("**/.env")
    caps.deny_path(work / "shut")
    caps.protect(["git"])
    tools = FileTools(caps)
    for path in (*(work / name for name in (".env", "plain", "shut/in", "read/only", ".git/config", "far", "near")), outside / "file"):
        for tool, script in ((lambda: tools.read(path), 'cat "$0"'), (lambda: tools.edit(path, "x", "x"), 'cat "$0" && echo x > "$0"')):
            result = nono_py.sandboxed_exec(caps, ["/bin/sh", "-c", script, path], cwd=work)
            try:
                tool()
                allowed = True
            except FileError:
                allowed = False
            assert allowed == (result.exit_code == 0), (path, script, result.stderr)


def test_interpreters_signal_handlers_stay_with_the_host(tools: FileTools, work: Path) -> None:
    """No thread of the tools takes a signal."""
    tools.ls(work, work)
    found = [Path(f"/proc/self/task/{task}/status").read_text() for task in os.listdir("/proc/self/task")]
    theirs = [status for status in found if status.startswith("Name:\tnono-files\n")]
    assert theirs
    for status in theirs:
        assert int(status.split("SigBlk:")[1].split()[0], 16) & 1 << (signal.SIGINT - 1)


LOCKED = """
import fcntl, sys
with open(sys.argv[1], "r+") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("free")
    except OSError:
        print("locked")
"""


def test_locks_of_the_host_stay(tools: FileTools, work: Path) -> None:
    """Closing a file lets go of all that a process has locked of it: a database that the host has open, say."""
    path = work / "database"
    path.write_text("needle")
    with path.open("r+") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        tools.read(path)
        tools.grep("needle", work, work)
        tools.download([str(path)])
        result = subprocess.run([sys.executable, "-c", LOCKED, path], capture_output=True, text=True, check=True)
        assert result.stdout == "locked\n"


DROPS_ROOT = """
import os, sys
from nono_py import *
work = sys.argv[1]
os.chmod(work, 0o777)
caps = CapabilitySet()
caps.allow_path(work, AccessMode.READ_WRITE)
tools = FileTools(caps)
tools.ls(work, work)
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
tools.write(work + "/file", "x")
print(os.stat(work + "/file").st_uid, os.stat(work + "/file").st_gid)
"""


@needs_root
def test_a_host_that_drops_root_goes_on_and_so_do_its_tools() -> None:
    with tempfile.TemporaryDirectory() as work:  # where others may go
        result = subprocess.run([sys.executable, "-c", DROPS_ROOT, work], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "65534 65534\n"), result.stderr
