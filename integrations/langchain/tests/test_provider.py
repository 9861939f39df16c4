"""The provider for the Deep Agents CLI: with a stand-in for it, and with itself where it is installed."""

import abc
import asyncio
import dataclasses
import importlib
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from langchain_nono import NonoSandbox, provider

GROUP = "deepagents_code.sandbox_providers"


def stand_in() -> ModuleType:
    """What the provider takes from the CLI, in the CLI's shapes."""

    @dataclasses.dataclass(frozen=True)
    class SandboxInstallHint:
        kind: str
        name: str

    @dataclasses.dataclass(frozen=True)
    class SandboxProviderMetadata:
        name: str
        working_dir: str
        install: Any = None
        supports_sandbox_id: bool = True
        supports_snapshot_name: bool = False
        backend_module: str | None = None

    class SandboxError(Exception):
        pass

    class SandboxNotFoundError(SandboxError):
        pass

    class SandboxProvider(abc.ABC):
        @property
        def metadata(self) -> Any:
            return None

        @abc.abstractmethod
        def get_or_create(self, *, sandbox_id: str | None = None, **kwargs: Any) -> Any: ...

        @abc.abstractmethod
        def delete(self, *, sandbox_id: str, **kwargs: Any) -> None: ...

        async def aget_or_create(self, *, sandbox_id: str | None = None, **kwargs: Any) -> Any:
            return await asyncio.to_thread(self.get_or_create, sandbox_id=sandbox_id, **kwargs)

        async def adelete(self, *, sandbox_id: str, **kwargs: Any) -> None:
            await asyncio.to_thread(self.delete, sandbox_id=sandbox_id, **kwargs)

    module = ModuleType("deepagents_code.integrations.sandbox_provider")
    for found in (SandboxInstallHint, SandboxProviderMetadata, SandboxNotFoundError, SandboxProvider):
        setattr(module, found.__name__, found)
    return module


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the CLI was started; its server is somewhere else."""
    path = tmp_path / "project"
    path.mkdir()
    server = tmp_path / "server"
    server.mkdir()
    monkeypatch.chdir(server)
    monkeypatch.setenv("DEEPAGENTS_CODE_SERVER_CWD", str(path))
    return path


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    module = stand_in()
    for name in ("deepagents_code", "deepagents_code.integrations"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    importlib.reload(provider)
    yield module
    monkeypatch.undo()
    importlib.reload(provider)


def entry_point() -> Any:
    (entry,) = importlib.metadata.entry_points(group=GROUP, name="nono")
    return entry.load()


def test_the_cli_finds_and_uses_it(cli: ModuleType, project: Path, outside: Path) -> None:
    """The steps of the CLI: metadata, a sandbox, a setup script, work, the end."""
    made = entry_point()()
    assert isinstance(made, cli.SandboxProvider)
    assert made.metadata == cli.SandboxProviderMetadata(
        name="nono",
        working_dir=str(project),
        install=cli.SandboxInstallHint(kind="package", name="langchain-nono"),
        supports_sandbox_id=False,
    )
    backend = made.get_or_create(sandbox_id=None, allow_read=[str(outside)])
    assert backend.execute("bash -c 'echo ready > state'").exit_code == 0
    assert (project / "state").read_text() == "ready\n"
    assert backend.execute(f"cat {outside}/secret.txt").output == "the secret"
    home = backend.execute("echo -n $HOME").output
    assert made.get_or_create(sandbox_id=backend.id) is backend
    made.delete(sandbox_id=backend.id)
    made.delete(sandbox_id=backend.id)
    assert not os.path.exists(home)
    with pytest.raises(cli.SandboxNotFoundError, match="leave the id out"):
        made.get_or_create(sandbox_id=backend.id)


async def test_async_methods(cli: ModuleType, project: Path) -> None:
    made = provider.NonoProvider()
    backend = await made.aget_or_create()
    assert backend.execute("pwd").output == f"{project}\n"
    await made.adelete(sandbox_id=backend.id)
    with pytest.raises(RuntimeError, match="the sandbox is closed"):
        backend.execute("true")


def test_settings_are_those_of_a_sandbox(cli: ModuleType, project: Path, outside: Path) -> None:
    made = provider.NonoProvider()
    backend = made.get_or_create(working_dir=str(outside))
    assert backend.execute("pwd").output == f"{outside}\n"
    made.delete(sandbox_id=backend.id)
    with pytest.raises(ValueError, match=r"nono has no setting image, size; there are working_dir, "):
        made.get_or_create(size=3, image="x")
    with pytest.raises(ValueError, match="timeout must be positive"):
        made.get_or_create(timeout=0)


def test_without_the_cli(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("deepagents_code", "deepagents_code.integrations.sandbox_provider"):
        monkeypatch.setitem(sys.modules, name, None)
    importlib.reload(provider)
    made = entry_point()()
    assert made.metadata is None
    backend = made.get_or_create()
    assert isinstance(backend, NonoSandbox)
    made.delete(sandbox_id=backend.id)
    monkeypatch.delenv("DEEPAGENTS_CODE_SERVER_CWD")
    assert provider.working_dir() == os.getcwd()
    monkeypatch.undo()
    importlib.reload(provider)


def test_with_the_real_cli(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factory = pytest.importorskip(
        "deepagents_code.integrations.sandbox_factory", reason="expected: the CLI needs Python 3.12"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    setup = tmp_path / "setup.sh"
    setup.write_text("echo ready > state")
    assert factory.get_default_working_dir("nono") == str(project)
    with factory.create_sandbox("nono", setup_script_path=str(setup)) as backend:
        assert backend.execute("cat state").output == "ready\n"
        home = backend.execute("echo -n $HOME").output
    assert not os.path.exists(home)
