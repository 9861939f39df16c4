"""Uses the file tools on a disk of 256 KiB, full and read-only, and prints what became of it.

    small_disk.py DIRECTORY sync|async

Mounts the disk on DIRECTORY, so it is to be run in a mount namespace of its own: `new_namespace` is
the command for that. Prints one JSON object: the step's name, and what is to be known about it.
"""

import asyncio
import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

from tools import Tools

from langchain_nono import NonoSandbox

SIZE = 256 * 1024
MS_RDONLY, MS_REMOUNT = 1, 32


def new_namespace() -> list[str]:
    """The words before a command that is to mount something that only it sees."""
    return (
        ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    )


def mount(directory: Path, flags: int = 0) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={SIZE},mode=755".encode()
    if libc.mount(b"small", os.fsencode(directory), b"tmpfs", flags, options) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def tree(directory: Path) -> dict[str, str]:
    """Every file with the start of its content."""
    return {
        str(path.relative_to(directory)): path.read_text()[:20]
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def fill(directory: Path) -> None:
    """Nothing but two files, and room for 60 KiB."""
    for name in os.listdir(directory):
        (directory / name).unlink()
    (directory / "file").write_text("old content")
    (directory / "filling").write_bytes(b"f" * (SIZE - 64 * 1024))


async def use(directory: Path, tools: Tools) -> dict[str, Any]:
    large = "x" * SIZE
    told: dict[str, Any] = {}

    async def step(name: str, tool: str, *arguments: Any) -> None:
        if not name.startswith("read-only"):
            fill(directory)
        result = await getattr(tools, tool)(*arguments)
        told[name] = {"error": result if tool == "upload" else result.error, "tree": tree(directory)}

    await step("write over a file", "write", f"{directory}/file", large)
    await step("write a new file", "write", f"{directory}/new", large)
    await step("edit", "edit", f"{directory}/file", "old content", large)
    await step("upload", "upload", f"{directory}/upload", large.encode())
    await step("write what fits", "write", f"{directory}/fits", "small")
    fill(directory)
    mount(directory, MS_REMOUNT | MS_RDONLY)
    await step("read-only: read", "read", f"{directory}/file")
    await step("read-only: write over a file", "write", f"{directory}/file", "x")
    await step("read-only: write a new file", "write", f"{directory}/d/new", "x")
    await step("read-only: edit", "edit", f"{directory}/file", "old", "x")
    await step("read-only: upload", "upload", f"{directory}/file", b"x")
    if hasattr(tools.backend, "delete"):
        await step("read-only: delete", "delete", f"{directory}/file")
    return told


def main() -> None:
    directory, how = Path(sys.argv[1]), sys.argv[2]
    mount(directory)
    with NonoSandbox(working_dir=str(directory)) as sandbox:
        told = asyncio.run(use(directory, Tools(sandbox, asynchronous=how == "async")))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
