"""The file tools of a sandbox, one way to call its sync methods and their async twins."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from deepagents.backends.protocol import BackendProtocol

Call = Callable[..., Awaitable[Any]]


class Tools:
    """`await tools.read(path)` calls `read`, or awaits `aread`."""

    def __init__(self, backend: BackendProtocol, *, asynchronous: bool) -> None:
        self.backend = backend
        self.asynchronous = asynchronous

    def __getattr__(self, tool: str) -> Call:
        method = getattr(self.backend, f"a{tool}" if self.asynchronous else tool)

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        return call

    async def upload(self, path: str, content: bytes) -> str | None:
        """The error of one upload, None for none."""
        (response,) = await self.upload_files([(path, content)])
        assert response.path == path
        error: str | None = response.error
        return error

    async def download(self, path: str) -> bytes | str:
        """The content of one file, or the error."""
        (response,) = await self.download_files([path])
        assert response.path == path
        assert (response.content is None) != (response.error is None)
        answer: bytes | str = response.error if response.content is None else response.content
        return answer


Drive = Callable[[BackendProtocol], Tools]


def text(result: Any) -> str | None:
    """What a read shows, None for an error."""
    return result.file_data["content"] if result.file_data else None


def paths(result: Any) -> list[str]:
    """The paths that `ls`, `glob` or `grep` answer with."""
    assert result.error is None, result.error
    found = result.entries if hasattr(result, "entries") else result.matches
    return [each["path"] for each in found]


def in_time(start: Callable[[], Awaitable[Any]], seconds: float = 30) -> Any:
    """The result of a call that might wait forever, which then fails the test and not the whole run."""
    done: list[Any] = []

    async def run() -> None:
        done.append(await start())

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "the call waits"
    assert done, "the call raised, see above"
    return done[0]
