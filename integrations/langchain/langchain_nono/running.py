"""Commands that run while their caller does something else, and what ends them with their sandbox."""

import os
import threading
import weakref
from typing import Any

import nono_py

from langchain_nono.jobs import Job
from langchain_nono.streaming import AsyncOutputStream, OutputStream


class Running:
    """The streams and jobs of one sandbox."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._ended = False
        self._jobs: set[nono_py.Job] = set()
        self._streams: weakref.WeakSet[OutputStream] = weakref.WeakSet()
        self._async_streams: weakref.WeakSet[AsyncOutputStream] = weakref.WeakSet()

    def add(self, started: nono_py.Job | OutputStream | AsyncOutputStream) -> None:
        """Have it ended by `end`. Jobs run on although nobody else refers to them."""
        if self._owner != os.getpid():  # a fork, whose lock may be held for good; what ran is its parent's
            self.__init__()  # type: ignore[misc]
        with self._lock:
            if not self._ended:
                if isinstance(started, OutputStream):
                    self._streams.add(started)
                elif isinstance(started, AsyncOutputStream):
                    self._async_streams.add(started)
                else:
                    self._jobs = {job for job in self._jobs if job.running} | {started}
                return
        # Meanwhile. What was started ends with its last reference.
        raise RuntimeError("the sandbox is closed")

    def end(self) -> None:
        """Kill all, and wait for all but async streams, whose loop may be the caller's."""
        if self._owner != os.getpid():
            return
        with self._lock:
            self._ended = True
            jobs, self._jobs = self._jobs, set()
            streams, async_streams = list(self._streams), list(self._async_streams)
        for async_stream in async_streams:
            async_stream.kill()
        for stream in streams:
            stream.close()
        for job in jobs:
            job.stop()


class RunsInBackground:
    """The part of a sandbox that starts commands without waiting for their end."""

    _running: Running
    _max_output_bytes: int

    def _launch(self, command: str, timeout: int | None) -> dict[str, Any]:
        raise NotImplementedError

    def stream(self, command: str, *, timeout: int | None = None) -> OutputStream:
        """Run a command in bash, in the working directory, and take its output while it comes.

        The command waits for whoever takes too slowly; nothing is dropped. Chunks say which stream they are
        of; with `stderr="merge"` all are of stdout, in the order of writing.

        Args:
            command: Shell text.
            timeout: As in `execute`; it holds whether or not somebody asks for a chunk.

        Returns:
            An iterator, whose `exit_code` is as in `execute` once it has ended. Leaving it kills the command.

        Raises:
            ValueError: As `execute`, at once.
            RuntimeError: As `execute`, at once.
        """
        stream = OutputStream(nono_py.sandboxed_stream(**self._unbounded(command, timeout)))
        self._running.add(stream)
        return stream

    def astream(self, command: str, *, timeout: int | None = None) -> AsyncOutputStream:
        """Async version of `stream`, without a thread; to be called while a loop runs, and not awaited."""
        stream = AsyncOutputStream(nono_py.sandboxed_stream_async(**self._unbounded(command, timeout)))
        self._running.add(stream)
        return stream

    def start(self, command: str, *, timeout: int | None = None) -> Job:
        """Run a command in bash, in the working directory, in the background.

        stdout and stderr are kept in the order of writing, the last `max_output_bytes` of them; the command
        never waits for a reader. `close()`, the end of this object and that of the process kill it.

        Args:
            command: Shell text.
            timeout: As in `execute`.

        Raises:
            ValueError: As `execute`.
            RuntimeError: As `execute`.
        """
        options = {**self._launch(command, timeout), "max_output_bytes": self._max_output_bytes}
        job = nono_py.sandboxed_job(**options)
        self._running.add(job)
        return Job(job, self._max_output_bytes)

    def _unbounded(self, command: str, timeout: int | None) -> dict[str, Any]:
        options = self._launch(command, timeout)
        del options["max_output_bytes"]  # of one result
        return options
