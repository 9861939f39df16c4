"""Commands in the background: what they have written so far, and their end."""

import codecs
import threading
from typing import NamedTuple

import nono_py
from deepagents.backends.protocol import ExecuteResponse

from langchain_nono.output import last


class JobStatus(NamedTuple):
    """A job at one moment."""

    running: bool
    exit_code: int | None
    """As in `ExecuteResponse.exit_code`; None while it runs."""
    output: str
    """stdout and stderr in the order of writing; never a part of a character."""
    position: int
    """Behind `output`, in bytes from the first one of all output."""
    dropped_bytes: int
    """Bytes before `output` that were asked for and are not kept any more."""


class Job:
    """A command in the background; `NonoSandbox.start` makes these.

    It runs until it ends, its time is up, it is stopped, or its sandbox or this process ends, whether or
    not somebody still has this object. Any thread or task may call.
    """

    def __init__(self, job: nono_py.Job, max_output_bytes: int) -> None:
        """Take over a job that keeps that many bytes of its output."""
        self._job = job
        self._max_output_bytes = max_output_bytes
        self._position = 0
        self._polling = threading.Lock()

    @property
    def running(self) -> bool:
        """Is anything of it left?"""
        return self._job.running

    def poll(self, since: int | None = None) -> JobStatus:
        """What the job has come to. Never waits.

        Args:
            since: The `position` of an earlier status, from which on output is wanted; None is that of the
                last `poll` without it.

        Raises:
            OverflowError: `since` is negative.
        """
        with self._polling:
            status = self._job.poll(self._position if since is None else since)
            begins, ends = status.dropped_bytes == 0, not status.running
            text, used = _whole_characters(status.output, begins=begins, ends=ends)
            position = status.position - len(status.output) + used
            if since is None:
                self._position = position
        return JobStatus(status.running, status.exit_code, text, position, status.dropped_bytes)

    def tail(self, max_bytes: int) -> str:
        """The end of the output, as far as it is kept. Never waits.

        Raises:
            OverflowError: `max_bytes` is negative.
        """
        return _whole_characters(self._job.tail(max_bytes), begins=False, ends=not self.running)[0]

    def wait(self, timeout: float | None = None) -> ExecuteResponse:
        """Wait for its end.

        Args:
            timeout: Seconds to wait, after which the job goes on; None is no limit.

        Returns:
            As `NonoSandbox.execute`, with the end of the output, up to `max_output_bytes` of the sandbox.

        Raises:
            TimeoutError: It is still running.
        """
        return self._response(self._job.wait(timeout))

    async def wait_async(self, timeout: float | None = None) -> ExecuteResponse:
        """Async version of `wait`, without a thread. Cancelling it leaves the job alone."""
        return self._response(await self._job.wait_async(timeout))

    def stop(self) -> ExecuteResponse:
        """Kill it with all that it started, unless it has ended, and wait for that; see `wait`."""
        return self._response(self._job.stop())

    async def stop_async(self) -> ExecuteResponse:
        """Async version of `stop`, without a thread."""
        return self._response(await self._job.stop_async())

    def _response(self, result: nono_py.ExecResult) -> ExecuteResponse:
        whole, _ = _whole_characters(result.stdout, begins=not result.truncated, ends=True)
        text = last(whole, self._max_output_bytes)
        return ExecuteResponse(
            output=text, exit_code=result.exit_code, truncated=result.truncated or len(text) < len(whole)
        )


def _whole_characters(data: bytes, *, begins: bool, ends: bool) -> tuple[str, int]:
    """Text of a part of an output, and where in `data` it ends.

    Args:
        data: The part.
        begins: Does a character begin with it? Otherwise the rest of one in front is left out.
        ends: Is nothing to come? Otherwise a character that is not complete is left out.
    """
    start = 0
    while not begins and start < min(3, len(data)) and data[start] & 0xC0 == 0x80:
        start += 1
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data[start:], final=ends)
    return text, len(data) - len(decoder.getstate()[0])
