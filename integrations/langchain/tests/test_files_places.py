"""Paths that are not the host's: the virtual root, and the places that Deep Agents itself writes to."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from deepagents.backends.protocol import EditResult, ReadResult, WriteResult
from deepagents.backends.sandbox import BaseSandbox
from releases import DELETES, GLOB_IS_ABSOLUTE, WRITE_REPLACES
from tools import Drive, Tools, paths, text

from langchain_nono import NonoSandbox

PLACES = ["/large_tool_results", "/conversation_history", "/blobs"]


@pytest.fixture
def in_root(virtual: NonoSandbox, drive: Drive) -> Tools:
    return drive(virtual)


async def test_virtual_paths_are_answered_by_virtual_paths(in_root: Tools, workspace: Path) -> None:
    tools = in_root
    assert await tools.write("/sub/a.txt", "needle\n") == WriteResult(path="/sub/a.txt")
    assert (workspace / "sub/a.txt").read_text() == "needle\n"
    assert text(await tools.read("/sub/a.txt")) == "needle"
    assert await tools.edit("/sub/a.txt", "needle", "a needle") == EditResult(
        path="/sub/a.txt", occurrences=1
    )
    assert paths(await tools.ls("/")) == ["/sub"]
    for path in ("/sub", "/sub/", "//sub"):
        assert [os.path.normpath(each).replace("//", "/") for each in paths(await tools.ls(path))] == [
            "/sub/a.txt"
        ]
    for path in ("/", "/sub", "/sub/a.txt", None):
        assert paths(await tools.grep("needle", path)) == ["/sub/a.txt"]
    if GLOB_IS_ABSOLUTE:
        for pattern, start in (("*.txt", "/"), ("*.txt", "/sub"), ("/sub/*", "/"), ("sub/*.txt", None)):
            assert paths(await tools.glob(pattern, start)) == ["/sub/a.txt"]
    assert await tools.upload("/up/b", b"b") is None
    assert await tools.download("/up/b") == (workspace / "up/b").read_bytes() == b"b"
    if DELETES:
        result = await tools.delete("/up")
        assert (result.error, result.path) == (None, "/up")
        assert os.listdir(workspace) == ["sub"]


async def test_host_paths_are_answered_by_host_paths(in_root: Tools, workspace: Path) -> None:
    tools, path = in_root, f"{workspace}/sub/a.txt"
    assert await tools.write(path, "needle\n") == WriteResult(path=path)
    assert text(await tools.read(path)) == "needle"
    assert await tools.edit(path, "needle", "a needle") == EditResult(path=path, occurrences=1)
    assert paths(await tools.ls(str(workspace))) == [f"{workspace}/sub"]
    assert paths(await tools.grep("needle", str(workspace))) == [path]
    if GLOB_IS_ABSOLUTE:
        assert paths(await tools.glob("*.txt", str(workspace))) == [path]
    assert await tools.download(path) == b"a needle\n"
    if DELETES:
        assert (await tools.delete(f"{workspace}/sub")).path == f"{workspace}/sub"


async def test_errors_name_the_path_that_was_asked_for(in_root: Tools, workspace: Path) -> None:
    tools = in_root
    (workspace / "d").mkdir()
    (workspace / "f").write_text("a a")
    assert await tools.read("/no") == ReadResult(error="File '/no': file_not_found")
    assert await tools.read("/d") == ReadResult(error="File '/d': not_a_file")
    assert await tools.read("/f", 7) == ReadResult(
        error="File '/f': Line offset 7 exceeds file length (1 lines)"
    )
    assert (await tools.ls("/no")).error == "Path '/no': path_not_found"
    assert (await tools.glob("*", "/no")).error == "Path '/no': path_not_found"
    assert (await tools.edit("/no", "a", "b")).error == "Error: File '/no' not found"
    assert (await tools.edit("/d", "a", "b")).error == "Error: '/d' is not a regular file"
    for result in (
        await tools.grep("a", "/no"),
        await tools.write("/f/below", "x"),
        await tools.write("/d", "x"),
    ):
        assert result.error and str(workspace) not in result.error
    if DELETES:
        assert (await tools.delete("/no")).error == "Error: '/no' not found"
        assert (await tools.delete("/")).error


async def test_the_virtual_root_has_no_way_up(in_root: Tools, workspace: Path, outside: Path) -> None:
    tools = in_root
    (workspace / "far").symlink_to(outside)
    for path in ("/../outside/secret.txt", "/..", "/far/secret.txt", "/sub/../../outside/secret.txt"):
        assert (await tools.read(path)).error
        assert (await tools.write(path, "x")).error
        assert (await tools.edit(path, "secret", "x")).error
        assert not (await tools.grep("secret", path)).matches
        assert (await tools.ls(path)).error
        assert isinstance(await tools.download(path), str)
        assert await tools.upload(path, b"x") is not None
    assert (outside / "secret.txt").read_text() == "the secret"
    assert os.listdir(outside) == ["secret.txt"]


async def test_what_the_host_has_at_a_path_is_not_what_the_virtual_root_has(
    in_root: Tools, workspace: Path
) -> None:
    (workspace / "etc").mkdir()
    (workspace / "etc/passwd").write_text("mine\n")
    assert text(await in_root.read("/etc/passwd")) == "mine"
    assert paths(await in_root.ls("/etc")) == ["/etc/passwd"]
    assert (await in_root.edit("/etc/passwd", "mine", "yours")).error is None
    assert (workspace / "etc/passwd").read_text() == "yours\n"


@pytest.fixture(params=["host paths", "virtual root", "virtual root that is read-only elsewhere"])
def any_sandbox(request: pytest.FixtureRequest, workspace: Path, tmp_path: Path) -> Iterator[NonoSandbox]:
    other = tmp_path / "other"
    other.mkdir()
    more = {"allow_read": [str(other)]} if "elsewhere" in request.param else {}
    with NonoSandbox(
        working_dir=str(workspace), virtual_workspace_root="virtual" in request.param, **more
    ) as sandbox:
        yield sandbox


@pytest.mark.parametrize("place", PLACES)
async def test_places_of_the_sdk_work_everywhere(any_sandbox: NonoSandbox, drive: Drive, place: str) -> None:
    tools = drive(any_sandbox)
    path = f"{place}/deeper/call_1"
    assert await tools.write(path, "one\nneedle\n") == WriteResult(path=path)
    assert text(await tools.read(path)) == "one\nneedle"
    assert text(await tools.read(path, 1, 1)) == "needle"
    assert await tools.edit(path, "one", "1") == EditResult(path=path, occurrences=1)
    assert await tools.download(path) == b"1\nneedle\n"
    assert paths(await tools.ls(place)) == [f"{place}/deeper"]
    assert paths(await tools.ls(f"{place}/deeper")) == [path]
    for start in (place, f"{place}/deeper", path):
        assert paths(await tools.grep("needle", start)) == [path]
    if GLOB_IS_ABSOLUTE:
        assert paths(await tools.glob("call_*", place)) == [path]
    assert await tools.upload(f"{place}/raw", bytes(range(256))) is None
    assert await tools.download(f"{place}/raw") == bytes(range(256))
    if WRITE_REPLACES:
        assert await tools.write(path, "new") == WriteResult(path=path)
        assert await tools.download(path) == b"new"
    if DELETES:
        result = await tools.delete(f"{place}/deeper")
        assert (result.error, result.path) == (None, f"{place}/deeper")
        assert (await tools.read(path)).error == f"File '{path}': file_not_found"


async def test_places_are_no_way_out(any_sandbox: NonoSandbox, drive: Drive, outside: Path) -> None:
    tools = drive(any_sandbox)
    await tools.write("/blobs/f", "x")
    up = "/blobs" + "/.." * 20 + f"{outside}/secret.txt"
    assert (await tools.read(up)).error
    assert (await tools.write(up, "x")).error
    assert isinstance(await tools.download(up), str)
    assert await tools.upload(up, b"x") is not None
    assert (outside / "secret.txt").read_text() == "the secret"


async def test_only_whole_names_are_places(tools: Tools) -> None:
    for path in ("/blobsx/f", "/blobs.txt", "/large_tool_results2/f", "/x/blobs/f"):
        assert (await tools.write(path, "x")).error
        assert not os.path.lexists(path)


async def test_places_are_each_sandboxs_own(workspace: Path, tmp_path: Path, drive: Drive) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with NonoSandbox(working_dir=str(workspace)) as one, NonoSandbox(working_dir=str(other)) as two:
        assert (await drive(one).write("/blobs/f", "of one")).error is None
        assert (await drive(two).read("/blobs/f")).error == "File '/blobs/f': file_not_found"


@pytest.mark.skipif(
    not hasattr(BaseSandbox, "execute_with_offload"),
    reason="expected: there is no capture before deepagents 0.7",
)
async def test_captured_output_can_be_read_where_it_is_said_to_be(
    any_sandbox: NonoSandbox, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NonoSandbox, "enable_capture_offload", True, raising=False)
    tools, place = drive(any_sandbox), "/large_tool_results/call_1"
    result = await tools.execute_with_offload("seq 100000", place, max_inline_bytes=1000)
    assert result.offloaded and result.response.exit_code == 0
    assert (await tools.download(place)).splitlines()[-1] == b"100000"
    assert text(await tools.read(place, 0, 2)) == "1\n2"
    assert [match["line"] for match in (await tools.grep("99999", place)).matches] == [99999]
