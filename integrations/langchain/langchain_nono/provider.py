"""nono for the Deep Agents CLI: `dcode --sandbox nono`.

The entry point `deepagents_code.sandbox_providers` of this package names `NonoProvider`. The CLI needs Python
3.12; this module can be imported without it, and then has nothing of its classes.
"""

import asyncio
import importlib
import inspect
import os
import threading
from typing import Any

from langchain_nono.sandbox import NonoSandbox

_PROJECT = "DEEPAGENTS_CODE_SERVER_CWD"  # the CLI's server works in another directory, and is told so

_cli: Any
try:
    _cli = importlib.import_module("deepagents_code.integrations.sandbox_provider")
except ImportError:
    _cli = None
_Base: Any = _cli.SandboxProvider if _cli else object
_NotFound: Any = _cli.SandboxNotFoundError if _cli else LookupError


class NonoProvider(_Base):  # type: ignore[misc]
    """Makes `NonoSandbox`es of this machine for the CLI, on the directory that it was started in.

    Settings are the constructor's keywords, in `~/.deepagents/config.toml`:

        [sandboxes.providers.nono]
        class_path = "langchain_nono.provider:NonoProvider"
        working_dir = "/home/me/project"

        [sandboxes.providers.nono.params]
        working_dir = "/home/me/project"
        block_network = false

    A sandbox ends with the process that made it; its files are those of the working directory, and stay.
    """

    def __init__(self) -> None:
        """Make no sandbox yet."""
        self._lock = threading.Lock()
        self._sandboxes: dict[str, NonoSandbox] = {}

    @property
    def metadata(self) -> Any:
        """The CLI's `SandboxProviderMetadata`; None where there is no CLI."""
        if _cli is None:
            return None
        return _cli.SandboxProviderMetadata(
            name="nono",
            working_dir=working_dir(),
            install=_cli.SandboxInstallHint(kind="package", name="langchain-nono"),
            supports_sandbox_id=False,
        )

    def get_or_create(self, *, sandbox_id: str | None = None, **settings: Any) -> NonoSandbox:
        """A new sandbox, or one that this object has made.

        Args:
            sandbox_id: The `id` of one that is there; the settings are the ones it was made with.
            **settings: As for `NonoSandbox`; `working_dir` is the directory that the CLI was started in.

        Raises:
            ValueError: `NonoSandbox` has no such setting, or refuses it.
            SandboxNotFoundError: There is no such sandbox.
            OSError: As of `NonoSandbox`.
        """
        if sandbox_id is not None:
            with self._lock:
                sandbox = self._sandboxes.get(sandbox_id)
            if sandbox is None:
                raise _NotFound(f"no sandbox {sandbox_id}: they end with their process; leave the id out")
            return sandbox
        known = inspect.signature(NonoSandbox).parameters
        if unknown := sorted(settings.keys() - known.keys()):
            raise ValueError(f"nono has no setting {', '.join(unknown)}; there are {', '.join(known)}")
        sandbox = NonoSandbox(**{"working_dir": working_dir(), **settings})
        with self._lock:
            self._sandboxes[sandbox.id] = sandbox
        return sandbox

    def delete(self, *, sandbox_id: str, **settings: Any) -> None:
        """Close a sandbox; nothing happens when it is closed already."""
        with self._lock:
            sandbox = self._sandboxes.pop(sandbox_id, None)
        if sandbox:
            sandbox.close()

    async def aget_or_create(self, *, sandbox_id: str | None = None, **settings: Any) -> NonoSandbox:
        """Async version of `get_or_create`, in a thread."""
        return await asyncio.to_thread(self.get_or_create, sandbox_id=sandbox_id, **settings)

    async def adelete(self, *, sandbox_id: str, **settings: Any) -> None:
        """Async version of `delete`, in a thread."""
        await asyncio.to_thread(self.delete, sandbox_id=sandbox_id, **settings)


def working_dir() -> str:
    """The directory that the CLI was started in."""
    return os.path.realpath(os.environ.get(_PROJECT) or os.getcwd())
