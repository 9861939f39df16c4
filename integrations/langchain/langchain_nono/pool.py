"""Sandboxes by key: made on first use, closed when nobody has used them for a while."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class _Closable(Protocol):
    def close(self) -> None: ...


_Sandbox = TypeVar("_Sandbox", bound=_Closable)


@dataclass(eq=False)
class Entry(Generic[_Sandbox]):
    """One sandbox of a pool, and who uses it."""

    key: str
    users: int = 0
    used: float = 0.0
    """When somebody last began or ended to use it, in seconds of `time.monotonic`."""
    sandbox: _Sandbox | None = None
    making: threading.Lock = field(default_factory=threading.Lock)


class Pool(Generic[_Sandbox]):
    """Keeps sandboxes apart by key. For any number of threads and tasks.

    There is no thread in the background: those that were idle for too long are closed by the next call,
    whichever key it is for.
    """

    def __init__(self, make: Callable[[str], _Sandbox], *, idle_seconds: float, limit: int) -> None:
        """Make nothing yet.

        Args:
            make: Makes the sandbox for a key; called once at a time for each key.
            idle_seconds: A sandbox that nobody used for as long is closed.
            limit: How many there may be. For one more, the one that was idle for longest is closed.
        """
        self._make = make
        self._idle_seconds = idle_seconds
        self._limit = limit
        # Reentrant: what is collected as garbage may give a sandbox back in the midst of a call.
        self._lock = threading.RLock()
        self._entries: dict[str, Entry[_Sandbox]] = {}
        self._closed = False

    def enter(self, key: str) -> Entry[_Sandbox]:
        """Begin to use the sandbox for `key`, which is made if need be; `leave` has to follow.

        Raises:
            RuntimeError: The pool is closed, or full of sandboxes that are in use.
        """
        entry, leftover = self._reserve(key)
        try:
            for sandbox in leftover:
                sandbox.close()
            with entry.making:
                if entry.sandbox is None:
                    entry.sandbox = self._make(key)
        except BaseException:
            self.leave(entry)
            raise
        return entry

    def enter_at_once(self, key: str) -> Entry[_Sandbox] | None:
        """As `enter`, if that takes no time: None when there is something to make or to close."""
        with self._lock:
            entry = self._entries.get(key)
            if self._closed or entry is None or entry.sandbox is None or self._expired(entry):
                return None
            entry.users += 1
            entry.used = time.monotonic()
            return entry

    def leave(self, entry: Entry[_Sandbox]) -> None:
        """End to use it."""
        with self._lock:
            entry.users -= 1
            entry.used = time.monotonic()
            if entry.sandbox is None and entry.users == 0:  # it could not be made
                self._forget(entry)

    @contextlib.contextmanager
    def use(self, key: str) -> Iterator[_Sandbox]:
        """The sandbox for `key`, for a while; see `enter`."""
        entry = self.enter(key)
        try:
            yield _made(entry)
        finally:
            self.leave(entry)

    @contextlib.asynccontextmanager
    async def ause(self, key: str) -> AsyncIterator[_Sandbox]:
        """Async version of `use`; what takes time is done in a thread."""
        entry = self.enter_at_once(key)
        if entry is None:
            entering = asyncio.ensure_future(asyncio.to_thread(self.enter, key))
            try:
                entry = await asyncio.shield(entering)
            except asyncio.CancelledError:
                entering.add_done_callback(self._leave_after)
                raise
        try:
            yield _made(entry)
        finally:
            self.leave(entry)

    def close(self, key: str | None = None) -> None:
        """Close the sandbox for `key`, or all and the pool itself, whoever uses it. May be called again."""
        with self._lock:
            if key is None:
                self._closed = True
            found = [entry for entry in self._entries.values() if key is None or entry.key == key]
            for entry in found:
                self._forget(entry)
        for entry in found:
            with entry.making:
                if entry.sandbox is not None:
                    entry.sandbox.close()

    @property
    def keys(self) -> list[str]:
        """Those that have a sandbox now."""
        with self._lock:
            return [key for key, entry in self._entries.items() if entry.sandbox is not None]

    def _reserve(self, key: str) -> tuple[Entry[_Sandbox], list[_Sandbox]]:
        """The entry for `key`, counted as used, and the sandboxes that have to be closed for it."""
        with self._lock:
            if self._closed:
                raise RuntimeError("the sandboxes are closed")
            entry = self._entries.get(key) or Entry(key)
            leaving = self._expired(entry)
            others = [other for other in self._entries.values() if other not in (entry, *leaving)]
            idle = sorted((other for other in others if other.users == 0), key=lambda other: other.used)
            surplus = max(len(others) + 1 - self._limit, 0)
            leaving += idle[:surplus]
            if surplus > len(idle):
                raise RuntimeError(f"all {self._limit} sandboxes are in use: raise max_sandboxes")
            for other in leaving:
                self._forget(other)
            self._entries[key] = entry
            entry.users += 1
            entry.used = time.monotonic()
            return entry, [_made(other) for other in leaving]

    def _expired(self, spared: Entry[_Sandbox]) -> list[Entry[_Sandbox]]:
        """Those that were idle for too long, but for one."""
        latest = time.monotonic() - self._idle_seconds
        return [
            entry
            for entry in self._entries.values()
            if entry is not spared and entry.users == 0 and entry.used < latest
        ]

    def _forget(self, entry: Entry[_Sandbox]) -> None:
        if self._entries.get(entry.key) is entry:
            del self._entries[entry.key]

    def _leave_after(self, entering: asyncio.Future[Entry[_Sandbox]]) -> None:
        if not entering.cancelled() and entering.exception() is None:
            self.leave(entering.result())


def _made(entry: Entry[_Sandbox]) -> _Sandbox:
    assert entry.sandbox is not None  # where nobody uses it, it was made; otherwise it would not be there
    return entry.sandbox
