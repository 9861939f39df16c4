"""Fixtures: a workspace, a directory outside it, a sandbox around the workspace, and its file tools."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tools import Drive, Tools

from langchain_nono import NonoSandbox


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that nobody granted, with a file in it."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "secret.txt").write_text("the secret")
    return path


@pytest.fixture
def sandbox(workspace: Path) -> Iterator[NonoSandbox]:
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        yield sandbox


@pytest.fixture
def virtual(workspace: Path) -> Iterator[NonoSandbox]:
    with NonoSandbox(working_dir=str(workspace), virtual_workspace_root=True) as sandbox:
        yield sandbox


@pytest.fixture(params=["sync", "async"])
def drive(request: pytest.FixtureRequest) -> Drive:
    """The tools of any sandbox: a test that asks for them runs twice."""
    return lambda backend: Tools(backend, asynchronous=request.param == "async")


@pytest.fixture
def tools(sandbox: NonoSandbox, drive: Drive) -> Tools:
    return drive(sandbox)
