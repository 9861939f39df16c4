"""The file tools, their paths, and the virtual workspace root in sync and async methods alike."""

import inspect
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from deepagents.backends.protocol import EditResult, WriteResult
from deepagents.backends.sandbox import BaseSandbox

from langchain_nono import NonoSandbox, releases
from langchain_nono.paths import ARTIFACTS
from langchain_nono.releases import WRITE_REPLACES

Call = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Calls a tool by its name: the sync method, or its async twin."""

    async def run(sandbox: NonoSandbox, tool: str, *args: Any, **kwargs: Any) -> Any:
        if request.param == "sync":
            return getattr(sandbox, tool)(*args, **kwargs)
        return await getattr(sandbox, "a" + tool)(*args, **kwargs)

    return run


def text(result: Any) -> str | None:
    return result.file_data["content"] if result.file_data else None


async def test_tools_work_on_host_paths(sandbox: NonoSandbox, workspace: Path, call: Call) -> None:
    path = f"{workspace}/sub/a.txt"
    assert await call(sandbox, "write", path, "one\ntwo\n") == WriteResult(path=path)
    assert text(await call(sandbox, "read", path)) == "one\ntwo"
    assert text(await call(sandbox, "read", path, 1, 1)) == "two"
    assert await call(sandbox, "edit", path, "two", "2") == EditResult(path=path, occurrences=1)
    assert (workspace / "sub/a.txt").read_text() == "one\n2\n"
    assert [entry["path"] for entry in (await call(sandbox, "ls", f"{workspace}/sub")).entries] == [path]
    assert [match["line"] for match in (await call(sandbox, "grep", "2", str(workspace))).matches] == [2]
    found = (await call(sandbox, "glob", "**/a.txt", str(workspace))).matches
    assert [os.path.join(workspace, match["path"]) for match in found] == [path]


async def test_write_over_an_existing_file(sandbox: NonoSandbox, workspace: Path, call: Call) -> None:
    path = f"{workspace}/a.txt"
    (workspace / "a.txt").write_text("old")
    result = await call(sandbox, "write", path, "new")
    assert (result.error is None) == WRITE_REPLACES
    assert (workspace / "a.txt").read_text() == ("new" if WRITE_REPLACES else "old")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("ls", ("x",)),
        ("read", ("x",)),
        ("write", ("x", "")),
        ("edit", ("x", "a", "b")),
        ("grep", ("a", "x")),
        ("glob", ("*", "x")),
    ],
)
async def test_relative_paths_are_refused(
    sandbox: NonoSandbox, call: Call, tool: str, arguments: tuple[str, ...]
) -> None:
    assert (await call(sandbox, tool, *arguments)).error == "Invalid path 'x': path must be absolute"


async def test_searches_without_a_path_start_in_the_workspace(
    sandbox: NonoSandbox, workspace: Path, call: Call
) -> None:
    (workspace / "a.txt").write_text("needle\n")
    (match,) = (await call(sandbox, "grep", "needle")).matches
    assert match == {"path": f"{workspace}/a.txt", "line": 1, "text": "needle"}
    (found,) = (await call(sandbox, "glob", "a.*")).matches
    assert os.path.join(workspace, found["path"]) == str(workspace / "a.txt")


async def test_grep_counts(sandbox: NonoSandbox, workspace: Path, call: Call) -> None:
    (workspace / "a.txt").write_text("x\n" * 10)
    assert len((await call(sandbox, "grep", "x", str(workspace), max_count=4)).matches) == 4
    assert len((await call(sandbox, "grep", "x", str(workspace), max_count=40)).matches) == 10


async def test_file_tools_stay_inside(
    sandbox: NonoSandbox, workspace: Path, outside: Path, call: Call
) -> None:
    secret = f"{outside}/secret.txt"
    assert text(await call(sandbox, "read", secret)) is None
    assert await call(sandbox, "write", f"{outside}/new", "x") == WriteResult(
        error=f"Failed to write file '{outside}/new': permission_denied"
    )
    assert await call(sandbox, "edit", secret, "secret", "x") == EditResult(
        error=f"Error: Permission denied editing file '{secret}'"
    )
    assert (await call(sandbox, "ls", str(outside))).entries in (None, [])
    assert not (await call(sandbox, "grep", "secret", str(outside))).matches
    assert not (await call(sandbox, "glob", "*", str(outside))).matches
    assert (outside / "secret.txt").read_text() == "the secret"
    assert not (outside / "new").exists()


def test_edit_errors(sandbox: NonoSandbox, workspace: Path) -> None:
    (workspace / "d").mkdir()
    (workspace / "twice").write_text("a a")
    (workspace / "binary").write_bytes(b"\xff")
    edit, ws = sandbox.edit, str(workspace)
    assert edit(f"{ws}/no", "a", "b").error == f"Error: File '{ws}/no' not found"
    assert edit(f"{ws}/d", "a", "b").error == f"Error: '{ws}/d' is not a regular file"
    assert edit(f"{ws}/binary", "a", "b").error == f"Error: File '{ws}/binary' is not a text file"
    assert edit(f"{ws}/twice", "x", "b").error == "Error: String not found in file: 'x'"
    assert edit(f"{ws}/twice", "a", "b").error == (
        "Error: String 'a' appears multiple times. Use replace_all=True to replace all occurrences."
    )
    assert (workspace / "twice").read_text() == "a a"
    assert edit(f"{ws}/twice", "", "b").error == (
        "Error: old_string cannot be empty. Provide the exact text to replace."
    )
    assert edit(f"{ws}/twice", "a", "\ud800", True).error is not None
    assert edit(f"{ws}/twice", "a", "b", True) == EditResult(path=f"{ws}/twice", occurrences=2)
    assert (workspace / "twice").read_text() == "b b"


async def test_large_edit_leaves_no_temp_files(sandbox: NonoSandbox, workspace: Path, call: Call) -> None:
    old, new = "old line\n" * 20_000, "new line\n" * 20_000
    (workspace / "big.txt").write_text("head\n" + old)
    (workspace / "big.txt").chmod(0o640)
    before = set(os.listdir("/tmp"))
    result = await call(sandbox, "edit", f"{workspace}/big.txt", old, new)
    assert result == EditResult(path=f"{workspace}/big.txt", occurrences=1)
    assert (workspace / "big.txt").read_text() == "head\n" + new
    assert (workspace / "big.txt").stat().st_mode & 0o777 == 0o640
    assert os.listdir(workspace) == ["big.txt"]
    assert not [name for name in set(os.listdir("/tmp")) - before if "deepagents" in name]
    assert sandbox.execute("ls -A $TMPDIR").output == ""


async def test_file_tools_reach_the_private_temporary_directory(
    sandbox: NonoSandbox, virtual: NonoSandbox, call: Call
) -> None:
    for each in (sandbox, virtual):
        path = each.execute("echo old > $TMPDIR/f; echo -n $TMPDIR/f").output
        assert (await call(each, "edit", path, "old", "new")).path == path
        assert text(await call(each, "read", path)) == "new"


async def test_virtual_workspace_root_holds(virtual: NonoSandbox, workspace: Path, call: Call) -> None:
    result = await call(virtual, "write", "/sub/a.txt", "one\ntwo\n")
    assert result == WriteResult(path="/sub/a.txt")
    assert text(await call(virtual, "read", "/sub/a.txt")) == "one\ntwo"
    assert (await call(virtual, "edit", "/sub/a.txt", "two", "2")).path == "/sub/a.txt"
    assert (workspace / "sub/a.txt").read_text() == "one\n2\n"
    for root in ("", str(workspace)):  # what comes back is in the terms of the question
        assert [entry["path"] for entry in (await call(virtual, "ls", root or "/")).entries] == [f"{root}/sub"]
        assert [match["path"] for match in (await call(virtual, "grep", "2", f"{root}/sub")).matches] == [
            f"{root}/sub/a.txt"
        ]
        found = (await call(virtual, "glob", "sub/*.txt", root or "/")).matches
        assert [match["path"] for match in found] == [
            f"{root}/sub/a.txt" if releases.GLOB_IS_RECURSIVE else "sub/a.txt"
        ]
    assert [match["path"] for match in (await call(virtual, "grep", "2")).matches] == ["/sub/a.txt"]
    assert len((await call(virtual, "glob", "sub/*.txt")).matches) == 1
    assert (await call(virtual, "upload_files", [("/up", b"u")]))[0].path == "/up"
    assert (await call(virtual, "download_files", ["/up"]))[0].content == b"u"
    for path in ("/../x", "/a/../../x"):
        assert (
            await call(virtual, "read", path)
        ).error == f"Invalid path '{path}': path must not contain '..'"
        assert (await call(virtual, "upload_files", [(path, b"")]))[0].error == "invalid_path"


async def test_virtual_workspace_root_holds_in_async_methods(virtual: NonoSandbox, workspace: Path) -> None:
    """A write over an existing workspace file is what the release says it is, not an unnoticed loss."""
    (workspace / "keep.txt").write_text("precious")
    result = await virtual.awrite("/keep.txt", "new")
    if WRITE_REPLACES:
        assert result == WriteResult(path="/keep.txt")
    else:
        assert "already exists" in (result.error or "").lower()
        assert (workspace / "keep.txt").read_text() == "precious"


async def test_virtual_links_out_stay_refused(
    virtual: NonoSandbox, workspace: Path, outside: Path, call: Call
) -> None:
    (workspace / "far").symlink_to(outside)
    assert text(await call(virtual, "read", "/far/secret.txt")) is None
    assert (await call(virtual, "edit", "/far/secret.txt", "secret", "x")).error is not None
    assert (await call(virtual, "write", "/far/new", "x")).error is not None
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]


@pytest.mark.skipif(not hasattr(BaseSandbox, "delete"), reason="deepagents 0.7")
async def test_delete(virtual: NonoSandbox, workspace: Path, outside: Path, call: Call) -> None:
    (workspace / "d/e").mkdir(parents=True)
    (workspace / "far").symlink_to(outside)
    assert (await call(virtual, "delete", "/d")).path == "/d"
    assert not (workspace / "d").exists()
    assert (await call(virtual, "delete", "/d")).error is not None
    for path in ("/", str(workspace)):
        assert "working directory" in (await call(virtual, "delete", path)).error
    await call(virtual, "delete", "/far")
    assert (outside / "secret.txt").exists() and not os.path.lexists(workspace / "far")

    (workspace / "real").mkdir()
    for name in ("/near", f"{workspace}/near"):  # a link goes, what it points to stays
        (workspace / "near").symlink_to("real")
        assert (await call(virtual, "delete", name)).error is None
        assert os.listdir(workspace) == ["real"]


@pytest.mark.parametrize("directory", ARTIFACTS)
async def test_what_deepagents_writes_itself_has_a_place(
    sandbox: NonoSandbox, virtual: NonoSandbox, workspace: Path, call: Call, directory: str
) -> None:
    path = f"{directory}/deep/er.txt"
    for each in (sandbox, virtual):
        assert await call(each, "write", path, "old\n") == WriteResult(path=path)
        assert await call(each, "edit", path, "old", "new") == EditResult(path=path, occurrences=1)
        assert text(await call(each, "read", path)) == "new"
        assert [entry["path"] for entry in (await call(each, "ls", directory)).entries] == [f"{directory}/deep"]
        assert [match["path"] for match in (await call(each, "grep", "new", directory)).matches] == [path]
        assert (await call(each, "upload_files", [(f"{directory}/up", b"u")]))[0].error is None
        assert (await call(each, "download_files", [f"{directory}/up"]))[0].content == b"u"
        assert text(await call(each, "read", f"{directory}/../../etc/passwd")) is None
    assert list(workspace.iterdir()) == []


@pytest.mark.skipif(not hasattr(BaseSandbox, "execute_with_offload"), reason="deepagents 0.7")
async def test_captured_output_lands_in_the_virtual_root(
    virtual: NonoSandbox, workspace: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NonoSandbox, "enable_capture_offload", True, raising=False)
    result = await call(virtual, "execute_with_offload", "seq 100000", "/big/1", max_inline_bytes=1000)
    assert result.offloaded
    assert (workspace / "big/1").read_text().splitlines()[-1] == "100000"


def test_async_twins_are_overridden_too() -> None:
    """Every public tool that is overridden has its async twin overridden, wherever the base has one."""
    own = {
        name
        for base in NonoSandbox.__mro__
        if base is not BaseSandbox and "langchain_nono" in base.__module__
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    twins = {name for name in own if f"a{name}" in vars(BaseSandbox)}
    assert {f"a{name}" for name in twins} <= own
