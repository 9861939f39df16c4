"""`ThreadSandboxes`: one backend for a server, one sandbox for each conversation."""

import functools
import inspect
import types
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from deepagents.backends.sandbox import BaseSandbox
from langgraph.config import get_config

from langchain_nono.pool import Pool
from langchain_nono.sandbox import NonoSandbox

_OWN = {"close"}


def _passed_on(name: str, member: Any) -> Any:
    """A member of a class with a `_pool`: the same one of the sandbox that is the caller's."""
    if isinstance(member, property):
        return property(lambda self: _get(self, name), doc=member.__doc__)

    if inspect.iscoroutinefunction(member):

        @functools.wraps(member)
        async def call_async(self: "ThreadSandboxes", *args: Any, **options: Any) -> Any:
            async with self._pool.ause(self.thread()) as sandbox:
                return await getattr(sandbox, name)(*args, **options)

        return call_async

    @functools.wraps(member)
    def call(self: "ThreadSandboxes", *args: Any, **options: Any) -> Any:
        pool = self._pool
        if hasattr(BaseSandbox, name):
            with pool.use(self.thread()) as sandbox:
                return getattr(sandbox, name)(*args, **options)
        # A stream or a job: the sandbox is in use for as long as somebody has it.
        entry = pool.enter(self.thread())
        try:
            result = getattr(entry.sandbox, name)(*args, **options)
            weakref.finalize(result, pool.leave, entry).atexit = False
        except BaseException:
            pool.leave(entry)
            raise
        return result

    return call


def _get(sandboxes: "ThreadSandboxes", name: str) -> Any:
    with sandboxes._pool.use(sandboxes.thread()) as sandbox:
        return getattr(sandbox, name)


def _members() -> dict[str, Any]:
    """All that a `NonoSandbox` has, passed on; with its signatures, which deepagents looks at."""
    return {
        name: _passed_on(name, member)
        for name, member in inspect.getmembers(NonoSandbox)
        if not name.startswith("_")
        and name not in _OWN
        and (inspect.isfunction(member) or isinstance(member, property))
    }


if TYPE_CHECKING:
    _PassingOn = NonoSandbox
else:
    _PassingOn = types.new_class("_PassingOn", (BaseSandbox,), exec_body=lambda body: body.update(_members()))


class ThreadSandboxes(_PassingOn):
    """A backend that gives each conversation, by its `thread_id`, a sandbox of its own.

    Hand it to `create_deep_agent` once. Every method and property of `NonoSandbox` is there, sync and async,
    and belongs to the sandbox of the conversation that calls it, which is made on first use. One that was
    not used for `idle_seconds` is closed by the next call, whichever conversation that comes from: its
    private HOME and TMPDIR go with it, its working directory stays. For any number of threads and tasks.
    """

    def __init__(
        self,
        make: Callable[[str], NonoSandbox],
        *,
        idle_seconds: float = 3600.0,
        max_sandboxes: int = 100,
        default_thread: str | None = None,
    ) -> None:
        """Make no sandbox yet.

        Args:
            make: Makes the sandbox for a thread id, which comes from a client: check it before it becomes
                part of a path.
            idle_seconds: After how long without use a sandbox is closed. A stream or a job uses it for as
                long as somebody has the object.
            max_sandboxes: How many there are at most. For one more, the one idle for longest is closed.
            default_thread: Stands for the thread id where there is none.

        Raises:
            ValueError: A number is not positive.
        """
        if idle_seconds <= 0 or max_sandboxes <= 0:
            raise ValueError("idle_seconds and max_sandboxes must be positive")
        self._pool = Pool(make, idle_seconds=idle_seconds, limit=max_sandboxes)
        self._default_thread = default_thread

    def thread(self) -> str:
        """The thread id of the conversation that calls.

        Raises:
            RuntimeError: There is none, and no default.
        """
        try:
            settings = get_config().get("configurable") or {}
        except RuntimeError:  # not called by an agent
            settings = {}
        thread = settings.get("thread_id", self._default_thread)
        if thread is None:
            raise RuntimeError(
                "no thread_id: call the agent with config={'configurable': {'thread_id': ...}}, "
                "or give ThreadSandboxes a default_thread"
            )
        return str(thread)

    @property
    def threads(self) -> list[str]:
        """The ids of the conversations that have a sandbox now."""
        return self._pool.keys

    def close_thread(self, thread: str) -> None:
        """Close the sandbox of one conversation, if it has one; when it calls again it gets another."""
        self._pool.close(thread)

    def close(self) -> None:
        """Close all sandboxes, and refuse to make others. May be called again."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
