"""`FileTools` for event loops: the confined threads do the work, and tell the loop when it is done."""

from __future__ import annotations

import itertools
import weakref

from nono_py._nono_py import _FileTools

TYPE_CHECKING = False  # typing costs more to import than all of this package
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from nono_py._nono_py import CapabilitySet, FilePage, _FileEntry, _FileMatch, _Isolation, _Notifier, _Path, _Ticket

_numbers = itertools.count(1)
_PAGE = 2000  # lines


class FileTools(_FileTools):
    """The file tools of one sandbox: see _nono_py.pyi. Here are the async ones, which need no thread of their own."""

    def __init__(self, caps: CapabilitySet, *, isolation: _Isolation = "auto") -> None:
        super().__init__(caps, isolation=isolation)
        self._calls: dict[int, _Call] = {}
        self._watched: dict[asyncio.AbstractEventLoop, _Notifier] = {}

    def close(self) -> None:
        """End the threads; calls that an event loop still waits for fail. May be called again."""
        for call in list(self._calls.values()):  # other loops take theirs out meanwhile
            call.tell(call.fail)
        while self._watched:
            loop, notifier = self._watched.popitem()
            _call_in(loop, _unwatch, loop, notifier)
        super().close()

    def __del__(self) -> None:
        if hasattr(self, "_watched"):  # it was made
            self.close()

    async def als(self, path: _Path, shown_as: _Path) -> list[_FileEntry]:
        """Async version of `ls`."""
        return await self._end_of(self._start_ls, path, shown_as)

    async def aread(self, path: _Path, offset: int = 0, limit: int = _PAGE, binary: bool = False) -> FilePage:
        """Async version of `read`."""
        return await self._end_of(self._start_read, path, offset, limit, binary)

    async def awrite(self, path: _Path, content: str, replace: bool = True) -> None:
        """Async version of `write`."""
        await self._end_of(self._start_write, path, content, replace)

    async def aedit(self, path: _Path, old: str, new: str, replace_all: bool = False) -> int:
        """Async version of `edit`."""
        return await self._end_of(self._start_edit, path, old, new, replace_all)

    async def adelete(self, path: _Path) -> None:
        """Async version of `delete`."""
        await self._end_of(self._start_delete, path)

    async def aglob(
        self, pattern: str, path: _Path, shown_as: _Path, top_level: bool = False, directories: bool = False
    ) -> tuple[list[_FileEntry], str | None]:
        """Async version of `glob`. Cancelling it ends the search."""
        return await self._end_of(self._start_glob, pattern, path, shown_as, top_level, directories)

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
        return await self._end_of(self._start_grep, pattern, path, shown_as, glob, max_count, skip)

    async def aupload(self, files: Iterable[tuple[_Path, bytes]]) -> list[str | None]:
        """Async version of `upload`."""
        return await self._end_of(self._start_upload, files)

    async def adownload(self, paths: Sequence[_Path]) -> list[bytes | str]:
        """Async version of `download`."""
        return await self._end_of(self._start_download, paths)

    async def _end_of(self, start: Callable[..., _Ticket], *arguments: Any) -> Any:
        import asyncio

        loop = asyncio.get_running_loop()
        self._watch(loop)
        number = next(_numbers)
        call = self._calls[number] = _Call(loop)  # before it starts: another loop may hear of its end first
        try:
            call.ticket = start(number, *arguments)
        except BaseException:
            del self._calls[number]
            raise
        try:
            return await call.future
        finally:
            call.ticket.cancel()  # of no consequence when it has ended

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        notifier = self._notifier()  # another one in a fork of the process
        known = self._watched.get(loop)
        if known is not None and known.fileno() == notifier.fileno():
            return
        for other in list(self._watched):
            if other.is_closed():
                self._watched.pop(other, None)
        if known is not None:
            _unwatch(loop, known)
        self._watched[loop] = notifier
        loop.add_reader(notifier.fileno(), _deliver, weakref.ref(self), notifier)


class _Call:
    """A call that a loop waits for."""

    ticket: _Ticket

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def tell(self, how: Callable[[], None]) -> None:
        _call_in(self.loop, how)

    def end(self) -> None:
        """In its loop, where the ticket is there by now."""
        if self.future.done():  # cancelled
            return
        try:
            self.future.set_result(self.ticket.result())
        except BaseException as error:
            self.future.set_exception(error)

    def fail(self) -> None:
        if not self.future.done():
            self.future.set_exception(RuntimeError("the file tools were closed"))


def _deliver(tools: weakref.ref[FileTools], notifier: _Notifier) -> None:
    """In whichever loop looks first."""
    import asyncio

    here = asyncio.get_running_loop()
    owner = tools()
    for number in notifier.take():
        call = None if owner is None else owner._calls.pop(number, None)
        if call is None:
            continue
        if call.loop is here:
            call.end()
        else:
            call.tell(call.end)


def _call_in(loop: asyncio.AbstractEventLoop, what: Callable[..., None], *arguments: Any) -> None:
    try:
        loop.call_soon_threadsafe(what, *arguments)
    except RuntimeError:  # closed
        pass


def _unwatch(loop: asyncio.AbstractEventLoop, notifier: _Notifier) -> None:
    """The notifier is there until the loop has let go of its number."""
    loop.remove_reader(notifier.fileno())
