"""Thousands of commands, hundreds of threads, gigabytes of host, hosts that are killed: nothing
grows and nothing is left behind. Counts only, no timing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from nono_py import AccessMode, sandboxed_exec, sandboxed_exec_async

from hosts import (
    MOST_KEPT,
    a_word,
    assert_nothing_left,
    at_once,
    children,
    eventually,
    has_ended,
    in_host,
    open_descriptors,
    peak_resident,
    resident,
    running,
    start_host,
    true,
)
from support import GENEROUS, can_use_namespaces, caps_for, needs_namespaces, shell

MIB = 1024 * 1024
GIB = 1024 * MIB


@pytest.fixture(params=["process", "namespaces"])
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param == "namespaces":
        needs_namespaces()
    return str(request.param)


# --- many ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "count"), [("process", 10_000), ("namespaces", 1_000)])
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

    at_once(64, how)
    at_once(MOST_KEPT, how)  # the kept ones have opened now what they open when they are used again
    descriptors = len(open_descriptors())
    threads = [threading.Thread(target=work) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 1000
    at_once(MOST_KEPT, how)
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

    def works(*command: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return subprocess.run([*prefix, *command], capture_output=True, check=False).returncode == 0
        return False

    if not works("true") or works("unshare", "--user", "true"):
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
    eventually(lambda: not running(word), seconds=3 if whom == "host and keepers" else GENEROUS)


def host_that_is_killed(word: str, isolation: str) -> None:
    at_once(3, isolation)  # keepers that have nothing to do must end as well
    reader, _ = os.pipe()
    sandboxed_exec(**grow_tree(word, isolation, reader))  # type: ignore[arg-type]
