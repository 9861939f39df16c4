"""Jobs: commands that run in the background of this process."""

from __future__ import annotations

from nono_py._nono_py import _start_job

TYPE_CHECKING = False  # typing costs more to import than all of this package
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from nono_py._nono_py import CapabilitySet, ExecResult, JobStatus, _ExecOptions, _Job, _Path


def sandboxed_job(caps: CapabilitySet, command: Sequence[_Path], **options: Unpack[_ExecOptions]) -> Job:
    """Start a command in a sandbox and let it run in the background.

    A thread that needs no GIL reads all its output, stdout and stderr in the order of writing, and keeps the last
    `max_output_bytes` (1 MiB if None); the command never waits for a reader. Parameters and errors are otherwise
    those of `sandboxed_exec`; `stderr` is without effect. Returns at once, so there is no async twin.
    """
    return Job(_start_job(caps, command, **options))


class Job:
    """A command in the background. May be used from several threads and tasks at once.

    The whole process tree is killed by `stop`, at the end of a `with`, when the object is dropped, and with this
    process. In a fork of this process a job cannot be used (RuntimeError), and nothing happens to it.
    """

    def __init__(self, job: _Job) -> None:
        """`sandboxed_job` makes these."""
        self._job = job

    @property
    def running(self) -> bool:
        """Never waits."""
        return not self._job.wait(0)

    def poll(self, since: int | None = None) -> JobStatus:
        """What the job has come to. Never waits.

        Args:
            since: Position in bytes from which on output is wanted, such as an earlier `JobStatus.position`. None is
                where the last `poll` without it ended.

        Raises:
            OverflowError: `since` is negative.
        """
        return self._job.poll(since)

    def tail(self, max_bytes: int) -> bytes:
        """The last bytes of the output, as far as they are kept. Never waits.

        Raises:
            OverflowError: `max_bytes` is negative.
        """
        return self._job.tail(max_bytes)

    def wait(self, timeout: float | None = None) -> ExecResult:
        """Wait for the end of the whole process tree, without the GIL.

        Args:
            timeout: Seconds; None is no limit. The job goes on when they are over.

        Returns:
            `stdout` is the output that is kept, and `dropped_bytes` what came before it.

        Raises:
            TimeoutError: It is still running.
        """
        if not self._job.wait(timeout):
            raise TimeoutError(f"the job is still running after {timeout} seconds")
        return self._job.result()

    def stop(self) -> ExecResult:
        """Kill the whole process tree, unless it has ended, and wait for that; see `wait`."""
        self._job.kill()
        return self.wait()

    async def wait_async(self, timeout: float | None = None) -> ExecResult:
        """`wait` without blocking the event loop. Cancelling it leaves the job alone."""
        import asyncio
        import os

        if not self._job.wait(0):
            loop = asyncio.get_running_loop()
            ended: asyncio.Future[None] = loop.create_future()

            def tell() -> None:
                if not ended.done():
                    ended.set_result(None)

            # A loop takes each number once, and tasks may wait side by side.
            descriptor = os.dup(self._job.fileno())
            loop.add_reader(descriptor, tell)
            try:
                await asyncio.wait_for(ended, timeout)
            except asyncio.TimeoutError:
                raise TimeoutError(f"the job is still running after {timeout} seconds") from None
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        return self._job.result()

    async def stop_async(self) -> ExecResult:
        """`stop` without blocking the event loop."""
        self._job.kill()
        return await self.wait_async()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._job.is_ours:  # or a fork leaves the block
            self.stop()
