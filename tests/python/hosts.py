"""Host processes for tests, and what is counted in them: children, descriptors, memory.

A test that needs a host of its own is two functions: the test calls `in_host` with the other one,
which is named like it and runs in a new process.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

from support import GENEROUS, caps_for, shell

MOST_KEPT = 4  # keepers that wait for the next command
CANNOT = 77  # exit status of a host: this cannot be tried here, and stderr says why


class Process(NamedTuple):
    pid: int
    name: str
    state: str


def of_all_processes(name: str) -> Iterator[tuple[int, str]]:
    """What /proc/PID/NAME says, of those that do not end meanwhile."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            yield int(pid), Path("/proc", pid, name).read_text(errors="replace")


def children(parent: int) -> list[Process]:
    """Zombies too."""
    found = []
    for _, text in of_all_processes("stat"):
        start, end = text.index("("), text.rindex(")")
        state, parent_of_it = text[end + 2 :].split()[:2]
        if int(parent_of_it) == parent:
            found.append(Process(int(text[:start]), text[start + 1 : end], state))
    return found


def descendants(parent: int) -> list[Process]:
    """With namespaces an init stands between keeper and command."""
    found = children(parent)
    return found + [further for child in found for further in descendants(child.pid)]


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
    return [pid for pid, words in of_all_processes("cmdline") if words == f"sleep\0{word}\0"]


def a_word() -> str:
    """A time to sleep for that no other process sleeps for."""
    return f"98765.{os.getpid()}{time.monotonic_ns() % 10**9}"


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


def cannot(why: str) -> NoReturn:
    """Called in a host: skips its test."""
    print(why, file=sys.stderr, flush=True)
    os._exit(CANNOT)


def start_host(
    function: Callable[..., None], *arguments: object, prefix: list[str]
) -> subprocess.Popen[bytes]:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        f"import {function.__module__} as module\n"
        f"module.{function.__name__}(*sys.argv[1:])"
    )
    command = [*prefix, sys.executable, "-c", code, *map(str, arguments)]
    # A session of its own, so that its process group can be killed as a whole.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def in_host(function: Callable[..., None], *arguments: object, prefix: list[str] | None = None) -> None:
    """Runs a function of a test file in a process of its own, from start to end."""
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


def at_once(count: int, how: str = "process") -> None:
    """Commands side by side: none ends before all have started."""
    reader, writer = os.pipe()
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(shell, caps_for(), "read", stdin=reader, isolation=how) for _ in range(count)]
        eventually(lambda: sum(len(children(keeper)) for keeper in keepers()) == count)
        os.write(writer, b"\n" * count)
        assert [future.result().exit_code for future in futures] == [0] * count
    os.close(reader)
    os.close(writer)
