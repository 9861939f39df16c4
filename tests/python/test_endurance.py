"""Ten thousand commands, hundreds of threads, gigabytes of host, hosts that die, fork or change:
nothing is left behind, nothing grows, nothing stops working. Counts only, no timing.

Most tests are a function that runs in a host process of its own (`in_host`), named like its test.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest
from nono_py import AccessMode, CapabilitySet, ExecResult, sandboxed_exec, sandboxed_exec_async

from support import GENEROUS, can_use_namespaces, caps_for, needs_namespaces, needs_root, shell

MIB = 1024 * 1024
GIB = 1024 * MIB
MOST_KEPT = 4
NOBODY = 65534
LIBC = ctypes.CDLL(None, use_errno=True)

# --- what is counted -----------------------------------------------------------------------------


class Process(NamedTuple):
    pid: int
    name: str
    state: str


def children(parent: int) -> list[Process]:
    """Zombies too."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = entry.read_text(errors="replace")
        except OSError:
            continue
        start, end = text.index("("), text.rindex(")")
        state, parent_of_it = text[end + 2 :].split()[:2]
        if int(parent_of_it) == parent:
            found.append(Process(int(text[:start]), text[start + 1 : end], state))
    return found


def keepers() -> list[int]:
    return [child.pid for child in children(os.getpid()) if child.name == "nono-keeper"]


def assert_nothing_left(*forks: int) -> None:
    """No zombie of ours, and no child but the few keepers that wait for the next command."""
    left = [child for child in children(os.getpid()) if child.pid not in forks]
    assert [child for child in left if child.name != "nono-keeper" or child.state == "Z"] == []
    assert len(left) <= MOST_KEPT


def open_descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peak_resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def running(word: str) -> list[int]:
    """The processes `sleep WORD`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if entry.read_bytes() == b"sleep\0" + word.encode() + b"\0":
                found.append(int(entry.parent.name))
    return found


def has_ended(pid: int) -> bool:
    """Zombies have: where an orphan's new parent reaps late, or never, is not our affair."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def eventually(condition: Callable[[], bool], seconds: float = GENEROUS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --- hosts ---------------------------------------------------------------------------------------

CANNOT = 77  # exit status: this cannot be tried here, and stderr says why


def cannot(why: str) -> NoReturn:
    print(why, file=sys.stderr, flush=True)
    os._exit(CANNOT)


def start_host(
    function: Callable[..., None], *arguments: object, prefix: list[str]
) -> subprocess.Popen[bytes]:
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import {Path(__file__).stem} as module
module.{function.__name__}(*sys.argv[1:])
"""
    command = [*prefix, sys.executable, "-c", code, *map(str, arguments)]
    # A session of its own, so that its process group can be killed as a whole.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def in_host(function: Callable[..., None], *arguments: object, prefix: list[str] | None = None) -> None:
    """Runs a function of this file in a process of its own, from start to end."""
    host = start_host(function, *arguments, prefix=prefix or [])
    try:
        errors = host.communicate()[1].decode(errors="replace")
        if host.returncode == CANNOT:
            pytest.skip(f"expected: {errors.strip()}")
        assert host.returncode == 0, errors
    finally:
        host.kill()
        host.wait()


def true(isolation: str = "process") -> int:
    return shell(caps_for(), "true", isolation=isolation).exit_code


def at_once(count: int) -> None:
    """Commands side by side: none ends before all have started."""
    reader, writer = os.pipe()
    with ThreadPoolExecutor(count) as pool:
        script = "echo here >&2; read"
        futures = [
            pool.submit(shell, caps_for(), script, stdin=reader, isolation="process") for _ in range(count)
        ]
        eventually(lambda: len(keepers()) >= count)
        os.write(writer, b"\n" * count)
        assert [future.result().exit_code for future in futures] == [0] * count
    os.close(reader)
    os.close(writer)


KEEPS = "NoNewPrivs:\t0" in Path("/proc/self/status").read_text()
needs_kept_keepers = pytest.mark.skipif(
    not KEEPS, reason="expected: a host under no_new_privs keeps no keepers"
)


@pytest.fixture(params=["process", "namespaces"])
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param == "namespaces":
        needs_namespaces()
    return str(request.param)


# --- many ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "count"), [("process", 10_000), ("namespaces", 2_500)])
def test_thousands_of_commands(how: str, count: int) -> None:
    if how == "namespaces":
        needs_namespaces()
    in_host(thousands_of_commands, how, count)


def thousands_of_commands(how: str, count: str) -> None:
    caps = caps_for()

    def run(times: int) -> None:
        for _ in range(times):
            assert sandboxed_exec(caps, ["/bin/true"], cwd="/", isolation=how).exit_code == 0  # type: ignore[arg-type]

    run(100)
    descriptors = open_descriptors()
    run(int(count) // 5 - 100)
    settled = resident()
    run(int(count) - int(count) // 5)
    assert open_descriptors() == descriptors
    assert resident() - settled < 4 * MIB
    assert_nothing_left()


def test_two_hundred_threads(isolation: str) -> None:
    in_host(two_hundred_threads, isolation)


def two_hundred_threads(how: str) -> None:
    # What many a login shell allows: 64 commands at a time must not need more.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))
    turns = threading.Semaphore(64)
    codes: list[int] = []

    def work() -> None:
        for _ in range(5):
            with turns:
                codes.append(true(how))

    if how == "process":
        at_once(MOST_KEPT)  # as many keepers as there will be at the end
    else:
        true(how)
    descriptors = len(open_descriptors())
    threads = [threading.Thread(target=work) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 1000
    assert len(open_descriptors()) == descriptors
    assert_nothing_left()


def test_endless_output(isolation: str) -> None:
    in_host(endless_output, isolation)


def endless_output(how: str) -> None:
    true(how)
    before = resident()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
    result = shell(caps_for(), "yes", timeout_secs=2, max_output_bytes=MIB, isolation=how)
    assert result.timed_out
    assert result.truncated
    assert len(result.stdout) <= MIB < result.dropped_bytes
    assert peak_resident() - before < 20 * MIB
    assert_nothing_left()


@pytest.mark.parametrize("gibibytes", [1, 4])
def test_large_host(gibibytes: int) -> None:
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    if available < (gibibytes + 2) * GIB:
        pytest.skip(f"expected: less than {gibibytes + 2} GiB of memory are free")
    in_host(large_host, gibibytes)


def large_host(gibibytes: str) -> None:
    size = int(gibibytes) * GIB
    memory = bytearray(size)
    memory[::4096] = b"x" * (size // 4096)
    assert resident() > size
    for how in ["process", "namespaces"] if can_use_namespaces() else ["process"]:
        assert [true(how) for _ in range(5)] == [0] * 5
    assert memory[4096] == ord("x")
    assert_nothing_left()


# --- nothing of a tree is left -------------------------------------------------------------------

# In the background, in a session of its own, without a parent, and all of it together.
TREE = """
sleep $WORD & setsid sleep $WORD & (sleep $WORD &)
(setsid bash -c 'sleep $WORD & (setsid sleep $WORD &)' &)
read
"""
TREE_SIZE = 5


def grow_tree(word: str, isolation: str, stdin: int | None = None) -> dict[str, object]:
    """Arguments of sandboxed_exec for a command that starts a tree and then waits for a line."""
    caps = caps_for()
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    environment = [("PATH", "/usr/bin:/bin"), ("WORD", word)]
    command = ["/bin/bash", "-c", TREE]
    return {
        "caps": caps,
        "command": command,
        "cwd": "/",
        "env": environment,
        "isolation": isolation,
        "stdin": stdin,
    }


def has_grown(word: str) -> bool:
    return len(running(word)) == TREE_SIZE


def a_word() -> str:
    return f"98765.{os.getpid()}{time.monotonic_ns() % 10**9}"


@pytest.fixture
def word() -> Iterator[str]:
    """A time to sleep for that no other process sleeps for."""
    word = a_word()
    yield word
    for pid in running(word):
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(params=["as it is", "no user namespaces"])
def prefix(request: pytest.FixtureRequest) -> list[str]:
    """What a host is started with: nothing, or what takes user namespaces from it."""
    if request.param == "as it is":
        return []
    script = (
        'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --bounding-set=-all "$@"'
    )
    prefix = ["unshare", "--user", "--map-root-user", "bash", "-c", script, "-"]
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
        still = (
            subprocess.run(
                [*prefix, "unshare", "--user", "true"], capture_output=True, check=False
            ).returncode
            == 0
        )
    except FileNotFoundError:
        works, still = False, False
    if not works or still:
        pytest.skip("expected: user namespaces cannot be turned off for one process here")
    return prefix


def test_nothing_is_left_of_a_tree(prefix: list[str]) -> None:
    in_host(nothing_is_left_of_a_tree, prefix=prefix)


def nothing_is_left_of_a_tree() -> None:
    for isolation in ["process", "namespaces"] if can_use_namespaces() else ["process"]:
        for _ in range(5):
            tree_that_ends(isolation)
            asyncio.run(tree_that_is_cancelled(isolation))
    assert_nothing_left()


def tree_that_ends(isolation: str) -> None:
    word = a_word()
    reader, writer = os.pipe()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(sandboxed_exec, **grow_tree(word, isolation, reader))  # type: ignore[arg-type]
        eventually(lambda: has_grown(word))
        os.write(writer, b"\n")
        assert future.result().exit_code == 0
        assert running(word) == []
    os.close(reader)
    os.close(writer)


async def tree_that_is_cancelled(isolation: str) -> None:
    word = a_word()
    reader, writer = os.pipe()
    task = asyncio.ensure_future(sandboxed_exec_async(**grow_tree(word, isolation, reader)))  # type: ignore[arg-type]
    while not has_grown(word):
        await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert running(word) == []
    os.close(reader)
    os.close(writer)


# The last one is what a kernel out of memory does: keepers share the host's.
@pytest.mark.parametrize("whom", ["host", "process group", "host and keepers"])
def test_nothing_is_left_of_a_host_that_is_killed(
    request: pytest.FixtureRequest, prefix: list[str], isolation: str, word: str, whom: str
) -> None:
    if prefix and isolation == "namespaces":
        pytest.skip("expected: no namespaces without user namespaces and without capabilities")
    if whom == "host and keepers" and isolation == "process":
        request.applymarker(pytest.mark.xfail(reason="the keeper is what ends the tree"))
    host = start_host(host_that_is_killed, word, isolation, prefix=prefix)
    try:
        eventually(lambda: has_grown(word) or host.poll() is not None)
        mine = [child.pid for child in children(host.pid)]
        assert mine != []
        if whom == "process group":
            os.killpg(host.pid, signal.SIGKILL)
        elif whom == "host":
            os.kill(host.pid, signal.SIGKILL)
        else:
            os.kill(host.pid, signal.SIGSTOP)
            for pid in [*mine, host.pid]:
                os.kill(pid, signal.SIGKILL)
    finally:
        host.kill()
        assert host.communicate()[1] == b""
    eventually(lambda: all(has_ended(pid) for pid in mine))
    eventually(lambda: not running(word), seconds=5 if whom == "host and keepers" else GENEROUS)


def host_that_is_killed(word: str, isolation: str) -> None:
    at_once(3)  # keepers that have nothing to do must end as well
    reader, _ = os.pipe()
    sandboxed_exec(**grow_tree(word, isolation, reader))  # type: ignore[arg-type]


# --- hosts that fork -----------------------------------------------------------------------------


def forked(work: Callable[[], None]) -> int:
    """Starts a fork that does this and ends as programs do, running destructors."""
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit(0)
    return pid


def assert_ended_well(pid: int) -> None:
    assert os.waitpid(pid, 0)[1] == 0


def test_forks_go_on() -> None:
    in_host(forks_go_on)


def forks_go_on() -> None:
    def work(*forks: int) -> None:
        assert [true() for _ in range(5)] == [0] * 5
        assert_nothing_left(*forks)

    def work_and_fork() -> None:
        work()
        fork = forked(work)
        work(fork)
        assert_ended_well(fork)

    at_once(2)
    kept = keepers()
    forks = [forked(lambda: None), forked(work_and_fork)]
    work(*forks)
    for fork in forks:
        assert_ended_well(fork)
    assert keepers() == kept
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(true, ["process"] * 40) == [0] * 40
        pool.close()
        pool.join()
    work()


def test_forks_while_commands_run() -> None:
    in_host(forks_while_commands_run)


def forks_while_commands_run() -> None:
    stop = threading.Event()
    codes: list[int] = []

    def work() -> None:
        while not stop.is_set():
            codes.append(true())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        # Straight out: Python waits for threads, which a fork does not have.
        pid = os.fork()
        if pid == 0:
            os._exit(true() + true())
        assert_ended_well(pid)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(codes) == {0}
    assert_nothing_left()


def test_nothing_is_left_when_only_a_fork_lives_on(tmp_path: Path) -> None:
    host = start_host(only_a_fork_lives_on, tmp_path / "report", prefix=[])
    assert host.communicate()[1] == b""  # its end is the fork's
    assert host.wait() == -signal.SIGKILL
    assert (tmp_path / "report").read_text() == "nothing left"


def only_a_fork_lives_on(report: str) -> None:
    at_once(2)
    parent, kept = os.getpid(), keepers()
    if os.fork() != 0:
        os.kill(os.getpid(), signal.SIGKILL)
    eventually(lambda: has_ended(parent) and all(has_ended(pid) for pid in kept))
    assert true() == 0
    Path(report).write_text("nothing left")


# --- hosts that change between two commands ------------------------------------------------------


def unshare(flags: int) -> None:
    if LIBC.unshare(flags) != 0:
        cannot(f"unshare failed here: {os.strerror(ctypes.get_errno())}")


def cgroup_of(test: int) -> Path:
    """A cgroup below our own, for the host of one test process."""
    own = next(
        line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")
    )
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return (
        Path(next(fields[1] for fields in mounts if fields[2] == "cgroup2") + own) / f"nono-endurance-{test}"
    )


def join_cgroup() -> None:
    try:
        directory = cgroup_of(os.getppid())
        directory.mkdir()
        (directory / "cgroup.procs").write_text(str(os.getpid()))
    except (OSError, StopIteration):
        cannot("this process may not make a cgroup")


@pytest.fixture
def cgroup() -> Iterator[None]:
    def is_gone() -> bool:
        with contextlib.suppress(OSError):
            directory.rmdir()
        return not directory.exists()

    try:
        directory = cgroup_of(os.getpid())
    except StopIteration:
        yield
        return
    yield
    eventually(is_gone)


def restrict_reading_proc() -> None:
    """Landlock by hand, without no_new_privs: all below / may be read but /proc."""
    read_file = 1 << 2
    ruleset = LIBC.syscall(444, struct.pack("=QQQ", read_file, 0, 0), 24, 0)
    for entry in os.scandir("/"):
        if entry.name != "proc" and entry.is_dir():
            parent = os.open(entry.path, os.O_PATH)
            LIBC.syscall(445, ruleset, 1, struct.pack("=Qi", read_file, parent), 0)
            os.close(parent)
    assert LIBC.syscall(446, ruleset, 0) == 0


CLONE_FS, CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x200, 0x20000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000

# What the host does to itself, and a script that shows it to a new process.
CHANGES: dict[str, tuple[Callable[[], object], str]] = {
    "limit": (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300)), "ulimit -n"),
    "niceness": (lambda: os.nice(3), "nice"),
    "affinity": (
        lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        "grep Cpus_allowed_list /proc/self/status",
    ),
    "umask": (lambda: os.umask(0o077), "umask"),
    "umask of a thread": (lambda: (unshare(CLONE_FS), os.umask(0o077)), "umask"),
    "oom score": (lambda: Path("/proc/self/oom_score_adj").write_text("500"), "cat /proc/self/oom_score_adj"),
    "i/o priority": (
        lambda: subprocess.run(["ionice", "-c2", "-n7", f"-p{os.getpid()}"], check=True),
        "ionice",
    ),
    "cgroup": (join_cgroup, "cat /proc/self/cgroup"),
    "uid": (lambda: os.setresuid(NOBODY, NOBODY, NOBODY), "id -u"),
    "gid": (lambda: os.setresgid(NOBODY, NOBODY, NOBODY), "id -g"),
    "groups": (lambda: os.setgroups([NOBODY]), "id -G"),
    "user and network namespace": (
        lambda: unshare(CLONE_NEWUSER | CLONE_NEWNET),
        "readlink /proc/self/ns/user /proc/self/ns/net",
    ),
    "network namespace": (lambda: unshare(CLONE_NEWNET), "readlink /proc/self/ns/net"),
    "mount namespace": (lambda: unshare(CLONE_NEWNS), "readlink /proc/self/ns/mnt"),
    "host name": (lambda: unshare(CLONE_NEWUTS), "readlink /proc/self/ns/uts"),
    "ipc namespace": (lambda: unshare(CLONE_NEWIPC), "readlink /proc/self/ns/ipc"),
    "landlock domain": (restrict_reading_proc, "cat /proc/version"),
}
FOR_ROOT = {"uid", "gid", "groups", "network namespace", "mount namespace", "host name", "ipc namespace"} | {
    "landlock domain"
}
NOT_NOTICED = {"umask of a thread", "i/o priority", "host name", "ipc namespace", "landlock domain"}


def marks_of(what: str) -> list[pytest.MarkDecorator]:
    marks = [needs_root] if what in FOR_ROOT else []
    if what in NOT_NOTICED:
        marks.append(pytest.mark.xfail(reason="a kept keeper does not notice", condition=KEEPS))
    return marks


@pytest.mark.usefixtures("cgroup")
@pytest.mark.parametrize("what", [pytest.param(what, marks=marks_of(what)) for what in CHANGES])
def test_a_command_starts_as_its_host_is_now(what: str) -> None:
    """A kept keeper is what the host was when it was made."""
    in_host(starts_as_its_host_is_now, what)


def starts_as_its_host_is_now(what: str) -> None:
    change, script = CHANGES[what]
    caps = caps_for()
    caps.allow_path("/proc", AccessMode.READ)

    def command() -> bytes:
        return shell(caps, script, isolation="process").stdout

    before = command()
    change()
    ordinary = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=False).stdout
    assert command() == ordinary
    if what != "affinity":  # of a machine with one processor
        assert ordinary != before
    assert_nothing_left()


# --- keepers that are killed ---------------------------------------------------------------------


@needs_kept_keepers
def test_idle_keepers_may_be_killed() -> None:
    in_host(idle_keepers_may_be_killed, "wait")


@needs_kept_keepers
@pytest.mark.xfail(reason="a keeper that dies with a request in its socket", strict=False)
def test_keepers_may_be_killed_just_before_a_command() -> None:
    in_host(idle_keepers_may_be_killed, "do not wait")


def idle_keepers_may_be_killed(how: str) -> None:
    for _ in range(50):
        at_once(2)
        kept = keepers()
        assert len(kept) >= 2
        for pid in kept:
            os.kill(pid, signal.SIGKILL)
        if how == "wait":
            eventually(lambda kept=kept: all(has_ended(pid) for pid in kept))  # type: ignore[misc]
        assert true() == 0
        assert_nothing_left()


def test_a_command_ends_with_its_keeper(isolation: str) -> None:
    in_host(command_ends_with_its_keeper, isolation)


def command_ends_with_its_keeper(isolation: str) -> None:
    word = a_word()
    for _ in range(3):
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(shell, caps_for(), f"exec sleep {word}", isolation=isolation)
            eventually(lambda: len(running(word)) == 1)
            command = running(word)[0]
            keeper = next(pid for pid in keepers() if command in [child.pid for child in children(pid)])
            os.kill(keeper, signal.SIGKILL)
            assert future.result().exit_code != 0
            assert not future.result().timed_out
        eventually(lambda: not running(word))
        assert true() == 0
        assert_nothing_left()


def test_a_host_that_can_gain_no_privileges_keeps_nothing() -> None:
    in_host(can_gain_no_privileges)


def can_gain_no_privileges() -> None:
    assert LIBC.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    true()
    descriptors = open_descriptors()
    assert [true() for _ in range(200)] == [0] * 200
    assert keepers() == []
    assert open_descriptors() == descriptors
    assert_nothing_left()
