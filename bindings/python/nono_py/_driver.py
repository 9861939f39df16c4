"""One command, driven by the running event loop until its tree has ended."""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs more to import than all of this package
if TYPE_CHECKING:
    import asyncio
    from types import TracebackType

    from nono_py._nono_py import _Child


class Driver:
    """Moves input and output and keeps the deadline, whatever tasks do meanwhile.

    The loop refers to it until the command has ended. As an `async with` it kills the command when what is in it is
    cancelled or fails, and waits for its end then.
    """

    def __init__(self, child: _Child) -> None:
        """Begin; the loop must be running."""
        import asyncio

        self._child = child
        self._loop = asyncio.get_running_loop()
        self._waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self.expired = False
        """Has the deadline ended the command?"""
        self.ended = child.step()
        """Has its tree ended?"""
        if not self.ended:
            self._descriptor = child.fileno()
            self._loop.add_reader(self._descriptor, self._advance)
            if child.timeout is not None:
                self._timer = self._loop.call_later(child.timeout, self._expire)

    async def news(self) -> None:
        """Wait until there is output to take, or the tree has ended."""
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    async def kill(self) -> None:
        """End the tree, and wait for that even when cancelled."""
        import asyncio

        if not self.ended:
            self._child.kill()
        cancelled: asyncio.CancelledError | None = None
        while not self.ended:
            try:
                await self.news()
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is not None:
            raise cancelled

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is GeneratorExit:
            self._child.kill()  # the loop is gone: nothing can be waited for
        elif kind is not None:
            await self.kill()

    def _advance(self) -> None:
        self.ended = self._child.step()
        if self.ended:
            self._loop.remove_reader(self._descriptor)
            if self._timer is not None:
                self._timer.cancel()
        if self.ended or self._child.has_output:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    def _expire(self) -> None:
        self.expired = True
        self._child.kill()
