"""`sandboxed_exec_async`: the event loop drives the command; there is no thread."""

from __future__ import annotations

from nono_py._nono_py import _spawn

TYPE_CHECKING = False  # typing costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence

    from nono_py._nono_py import CapabilitySet, ExecResult, StandardInput, _Child, _Isolation, _Path


async def sandboxed_exec_async(
    caps: CapabilitySet,
    command: Sequence[_Path],
    cwd: _Path | None = None,
    timeout_secs: float | None = None,
    env: Sequence[tuple[str, str]] | None = None,
    inherit_env: bool = False,
    max_processes: int | None = None,
    max_cpu_seconds: int | None = None,
    max_file_size_bytes: int | None = None,
    max_open_files: int | None = None,
    uid: int | None = None,
    gid: int | None = None,
    enforcement_mode: str = "auto",
    *,
    stdin: StandardInput | None = None,
    max_output_bytes: int | None = None,
    max_memory_bytes: int | None = None,
    isolation: _Isolation = "auto",
) -> ExecResult:
    """Run a command in a sandbox without blocking the event loop.

    Parameters, result and errors are those of `sandboxed_exec`. Cancelling the task kills the whole
    process tree and waits for its end before `CancelledError` goes on. Each running command needs
    about a dozen file descriptors of this process.
    """
    child = _spawn(
        caps,
        command,
        cwd,
        timeout_secs,
        env,
        inherit_env,
        max_processes,
        max_cpu_seconds,
        max_file_size_bytes,
        max_open_files,
        uid,
        gid,
        enforcement_mode,
        stdin=stdin,
        max_output_bytes=max_output_bytes,
        max_memory_bytes=max_memory_bytes,
        isolation=isolation,
    )
    return child.result(timed_out=False if child.step() else await _drive(child))


async def _drive(child: _Child) -> bool:
    """Wait for the end of the command; say whether the deadline brought it."""
    import asyncio

    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    expired = False

    def advance() -> None:
        if child.step() and not ended.done():
            ended.set_result(None)

    def expire() -> None:
        nonlocal expired
        expired = True
        child.kill()

    descriptor = child.fileno()
    loop.add_reader(descriptor, advance)
    timer = None if child.timeout is None else loop.call_later(child.timeout, expire)
    try:
        await asyncio.shield(ended)
    except BaseException:
        child.kill()
        while not ended.done():
            try:
                await asyncio.shield(ended)
            except asyncio.CancelledError:
                continue
        raise
    finally:
        if timer is not None:
            timer.cancel()
        loop.remove_reader(descriptor)
    return expired
