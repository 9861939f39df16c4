"""Races of a name that keeps turning into a link to what lies outside, and back.

100,000 calls in all, $NONO_TEST_RACES for another number: every tool, sync and async, on a file and
in a directory that change under it. No call may learn or change anything outside.
"""

import asyncio
import contextlib
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import flip
import pytest
from releases import DELETES, WRITE_REPLACES
from tools import Drive, Tools

from langchain_nono import NonoSandbox

TOOLS = [
    "read",
    "download",
    "ls",
    "grep",
    "glob",
    "write",
    "edit",
    "upload",
    *(["delete"] if DELETES else []),
]
CASES = [
    *((tool, kind, "process") for tool in TOOLS for kind in ("file", "directory")),
    *((tool, "directory", "command") for tool in ("read", "upload")),
]
RACES = int(os.environ.get("NONO_TEST_RACES", "100000"))
EACH = -(-RACES // (2 * len(CASES)))  # twice: sync and async
AT_ONCE = 16

SECRET = "the secret"
SIZE = 54_321  # of the files outside, and of no other


class Outside:
    """A directory that nobody granted, with files of the same names as inside and of others."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "sub").mkdir()
        for name in ("victim.txt", "sub/inner.txt", "only-outside.txt"):
            (directory / name).write_text(SECRET.ljust(SIZE))
        self.before = self.state()

    def state(self) -> dict[str, Any]:
        paths = [self.directory, *sorted(self.directory.rglob("*"))]
        return {
            str(path): (path.stat().st_mode, path.stat().st_mtime_ns, path.is_dir() or path.read_text())
            for path in paths
        }


class Race:
    """One tool, one call after the other; `call` returns whether it met what lies inside."""

    def __init__(self, tools: Tools, workspace: Path, kind: str) -> None:
        self.tools = tools
        self.root = str(workspace)
        self.directory = f"{workspace}/d" if kind == "directory" else self.root
        self.target = f"{self.directory}/victim.txt"
        self.kind = kind

    async def call(self, tool: str, number: int) -> bool:
        method: Callable[[int], Awaitable[bool]] = getattr(self, tool)
        return await method(number)

    async def read(self, number: int) -> bool:
        result = await self.tools.read(self.target)
        assert SECRET not in str(result)
        return result.error is None

    async def download(self, number: int) -> bool:
        content = await self.tools.download(self.target)
        assert SECRET not in str(content)
        return isinstance(content, bytes)

    async def ls(self, number: int) -> bool:
        result = await self.tools.ls(self.directory)
        self.check_names(result.entries or [])
        return result.error is None

    async def glob(self, number: int) -> bool:
        result = await self.tools.glob(("*", "**/*", "victim.txt")[number % 3], self.directory)
        self.check_names(result.matches or [])
        return bool(result.matches)

    async def grep(self, number: int) -> bool:
        pattern = (SECRET, "mine")[number % 2]
        result = await self.tools.grep(pattern, (self.target, self.directory)[number // 2 % 2])
        assert SECRET not in str(result.matches)
        return bool(result.matches)

    async def write(self, number: int) -> bool:
        path = self.target if WRITE_REPLACES and number % 4 else f"{self.directory}/new{number}.txt"
        result = await self.tools.write(path, flip.CONTENT)
        return result.error is None

    async def upload(self, number: int) -> bool:
        path = self.target if number % 4 else f"{self.directory}/new{number % 8}/f.txt"
        return await self.tools.upload(path, flip.CONTENT.encode()) is None

    async def edit(self, number: int) -> bool:
        old = (SECRET, "mine")[number % 2]
        result = await self.tools.edit(self.target, old, old)
        assert result.error is not None or old != SECRET
        return result.error is None

    async def delete(self, number: int) -> bool:
        names = ("victim.txt", "sub/inner.txt", "sub", "") if self.kind == "directory" else ("victim.txt",)
        result = await self.tools.delete(f"{self.directory}/{names[number % len(names)]}".rstrip("/"))
        return result.error is None

    def check_names(self, found: list[dict[str, Any]]) -> None:
        for entry in found:
            assert "only-outside" not in entry["path"]
            assert entry.get("size") != SIZE


@contextlib.asynccontextmanager
async def flipping(by: str, sandbox: NonoSandbox, arguments: list[str], ready: Path) -> AsyncIterator[None]:
    """`flip.py`, as a process of ours or as a command in the sandbox."""
    if by == "command":
        words = ["/usr/bin/python3", flip.__file__, *arguments, str(ready)]
        running = asyncio.create_task(sandbox.aexecute(shlex.join(words), timeout=100))
        over: Callable[[], bool] = running.done
    else:
        process = subprocess.Popen([sys.executable, flip.__file__, *arguments, str(ready)])
        over = lambda: process.poll() is not None  # noqa: E731
    try:
        while not ready.exists():
            assert not over(), "the flipping has ended: " + (
                running.result().output if by == "command" else ""
            )
            await asyncio.sleep(0.01)
        yield
        assert not over()
    finally:
        if by == "command":
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        else:
            process.kill()
            process.wait()


@pytest.mark.parametrize(("tool", "kind", "by"), CASES, ids=map("-".join, CASES))
async def test_a_race(workspace: Path, outside: Path, drive: Drive, tool: str, kind: str, by: str) -> None:
    there = Outside(outside)
    name, target = ("d", outside) if kind == "directory" else ("victim.txt", outside / "victim.txt")
    arguments = [kind, f"{workspace}/{name}", f"{workspace}/link", str(target)]
    with NonoSandbox(working_dir=str(workspace), allow_read=[os.path.dirname(flip.__file__)]) as sandbox:
        race = Race(drive(sandbox), workspace, kind)
        inside = []
        async with flipping(by, sandbox, arguments, workspace / "ready"):
            for first in range(0, EACH, AT_ONCE):
                numbers = range(first, min(first + AT_ONCE, EACH))
                if race.tools.asynchronous:
                    inside += await asyncio.gather(*(race.call(tool, number) for number in numbers))
                else:
                    inside += [await race.call(tool, number) for number in numbers]
    assert there.state() == there.before
    assert len(inside) == EACH
    if EACH >= 1000:  # enough to have met both
        assert any(inside)
        assert not all(inside) or tool in ("ls", "glob", "delete")  # of whose calls some are always met
