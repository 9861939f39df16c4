"""`FileTools` for event loops: the confined threads do the work, and tell the loop when it is done."""

from __future__ import annotations

from nono_py._nono_py import _FileTools, _Notifier

TYPE_CHECKING = False  # typing costs more to import than all of this package
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Sequence
    from typing import Any

    from nono_py._nono_py import FilePage, _FileEntry, _FileMatch, _Path, _Ticket

_PAGE = 2000  # lines


class FileTools(_FileTools):
    """The file tools of one sandbox: see _nono_py.pyi. Here are the async ones, which need no thread of their own."""

    async def als(self, path: _Path, shown_as: _Path) -> list[_FileEntry]:
        """Async version of `ls`."""
        return await _ended(self._start_ls(_here().notifier, path, shown_as))

    async def aread(self, path: _Path, offset: int = 0, limit: int = _PAGE, binary: bool = False) -> FilePage:
        """Async version of `read`."""
        return await _ended(self._start_read(_here().notifier, path, offset, limit, binary))

    async def awrite(self, path: _Path, content: str, replace: bool = True) -> None:
        """Async version of `write`."""
        await _ended(self._start_write(_here().notifier, path, content, replace))

    async def aedit(self, path: _Path, old: str, new: str, replace_all: bool = False) -> int:
        """Async version of `edit`."""
        return await _ended(self._start_edit(_here().notifier, path, old, new, replace_all))

    async def adelete(self, path: _Path) -> None:
        """Async version of `delete`."""
        await _ended(self._start_delete(_here().notifier, path))

    async def aglob(
        self, pattern: str, path: _Path, shown_as: _Path, top_level: bool = False, directories: bool = False
    ) -> tuple[list[_FileEntry], str | None]:
        """Async version of `glob`. Cancelling it ends the search."""
        return await _ended(self._start_glob(_here().notifier, pattern, path, shown_as, top_level, directories))

    async def agrep(
        self,
        pattern: str,
        path: _Path,
        shown_as: _Path,
        glob: str | None = None,
        max_count: int | None = None,
        skip: Sequence[str] = (),
    ) -> tuple[list[_FileMatch], bool]:
        """Async version of `grep`. Cancelling it ends the search."""
        return await _ended(self._start_grep(_here().notifier, pattern, path, shown_as, glob, max_count, skip))

    async def aupload(self, files: Iterable[tuple[_Path, bytes]]) -> list[str | None]:
        """Async version of `upload`."""
        return await _ended(self._start_upload(_here().notifier, files))

    async def adownload(self, paths: Sequence[_Path]) -> list[bytes | str]:
        """Async version of `download`."""
        return await _ended(self._start_download(_here().notifier, paths))


class _Loop:
    """What one event loop waits for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.notifier = _Notifier()
        self.waiting: dict[int, tuple[asyncio.Future[Any], _Ticket]] = {}
        loop.add_reader(self.notifier.fileno(), self.deliver)

    def deliver(self) -> None:
        for number in self.notifier.take():
            future, ticket = self.waiting.pop(number)
            if future.done():  # cancelled
                continue
            try:
                future.set_result(ticket.result())
            except BaseException as error:
                future.set_exception(error)


_loops: dict[asyncio.AbstractEventLoop, _Loop] = {}


def _here() -> _Loop:
    """That of the running loop. Those of closed loops are let go of when a new one comes."""
    import asyncio

    loop = asyncio.get_running_loop()
    known = _loops.get(loop)
    if known is None:
        for other in list(_loops):
            if other.is_closed():
                _loops.pop(other, None)
        known = _loops[loop] = _Loop(loop)
    return known


async def _ended(ticket: _Ticket) -> Any:
    import asyncio

    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    _here().waiting[ticket.number] = (future, ticket)
    try:
        return await future
    finally:
        ticket.cancel()  # of no consequence when it has ended
