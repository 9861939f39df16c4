"""`sandboxed_exec_async` and `sandboxed_stream_async`: the event loop drives the command; there is no thread."""

from __future__ import annotations

from nono_py._driver import Driver
from nono_py._nono_py import _spawn, _spawn_stream

TYPE_CHECKING = False  # typing costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from nono_py._nono_py import (
        CapabilitySet,
        Chunk,
        ExecResult,
        StandardInput,
        _Child,
        _ExecOptions,
        _Isolation,
        _Path,
        _StandardError,
    )


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
    stderr: _StandardError = "pipe",
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
        stderr=stderr,
        max_output_bytes=max_output_bytes,
        max_memory_bytes=max_memory_bytes,
        isolation=isolation,
    )
    driver = Driver(child)
    async with driver:
        while not driver.ended:
            await driver.news()
    return child.result(timed_out=driver.expired)


def sandboxed_stream_async(
    caps: CapabilitySet, command: Sequence[_Path], **options: Unpack[_ExecOptions]
) -> AsyncStream:
    """Start a command in a sandbox and take its output while it comes, without blocking the event loop.

    To be called while a loop runs. Parameters and errors are those of `sandboxed_stream`::

        async with sandboxed_stream_async(caps, ["make"], timeout_secs=600) as stream:
            async for name, data in stream:
                ...
        print(stream.result.exit_code)
    """
    import asyncio

    asyncio.get_running_loop()  # or nothing is started
    return AsyncStream(_spawn_stream(caps, command, **options))


class AsyncStream:
    """The output of a running command, as it comes. One task takes at a time; any may close it.

    The loop keeps the command's deadline whether or not somebody asks for a chunk. Cancelling whoever waits for one
    kills the whole process tree and waits for its end; so do `aclose` and leaving an `async with`. When the object is
    dropped, as by a `break` out of an `async for` that nothing else refers to, the tree is killed.
    """

    def __init__(self, child: _Child) -> None:
        """Begin to drive it; `sandboxed_stream_async` makes these."""
        self._child = child
        self._driver = Driver(child)
        self._chunks: list[Chunk] = []
        self._result: ExecResult | None = None

    @property
    def result(self) -> ExecResult | None:
        """How the command ended; see `Stream.result`."""
        return self._result

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        while not self._chunks:
            if self._result is not None:
                raise StopAsyncIteration
            if not (self._driver.ended or self._child.has_output):
                async with self._driver:
                    await self._driver.news()
            self._collect()
        return self._chunks.pop(0)

    def kill(self) -> None:
        """End the whole process tree; returns at once, and what was written until then may be taken. Any thread."""
        if self._result is None:
            self._child.kill()

    async def aclose(self) -> None:
        """Kill the whole process tree, unless it has ended, and wait for that; what was not taken is dropped."""
        await self._driver.kill()
        self._collect()
        self._chunks.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        self.kill()  # the loop sees to the rest

    def _collect(self) -> None:
        self._chunks += self._child.take()
        if self._driver.ended and self._result is None:
            self._result = self._child.result(timed_out=self._driver.expired)
            words: list[Chunk] = [("stdout", self._result.stdout), ("stderr", self._result.stderr)]
            self._chunks += [chunk for chunk in words if chunk[1]]
