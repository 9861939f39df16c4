"""Symbolic links: inside they are followed by name, outside by nothing, in every tool."""

import os
from pathlib import Path

import pytest
from releases import DELETES, WRITE_REPLACES
from tools import Drive, Tools, paths, text

from langchain_nono import NonoSandbox

SECRET = "the secret"


def links_out(workspace: Path, outside: Path) -> list[str]:
    """Names in the workspace that lead to the secret outside, in every way that a link can."""
    (workspace / "d").mkdir()
    for name, target in {
        "file": outside / "secret.txt",
        "directory": outside,
        "relative": "../outside/secret.txt",
        "chain": "chain2",
        "chain2": "file",
        "d/up": "../..",
        "root": "/",
        "through": "directory/secret.txt",
        "self": f"/proc/self/root{outside}/secret.txt",
        "cwd": "/proc/self/cwd/../outside/secret.txt",
    }.items():
        (workspace / name).symlink_to(target)
    return [
        *("file", "directory/secret.txt", "relative", "chain", "through", "self", "cwd"),
        *("d/up/outside/secret.txt", f"root{outside}/secret.txt", "d/../directory/secret.txt"),
    ]


async def test_nothing_outside_is_read_through_a_link(tools: Tools, workspace: Path, outside: Path) -> None:
    for name in links_out(workspace, outside):
        path = f"{workspace}/{name}"
        result = await tools.read(path)
        assert result.error and result.file_data is None, name
        assert await tools.download(path) in ("permission_denied", "file_not_found"), name
        assert not (await tools.grep("secret", path)).matches, name
    for name in ("directory", "d/up/outside", f"root{outside}", "root"):
        listing = await tools.ls(f"{workspace}/{name}")
        assert listing.error and not listing.entries, name
        assert not (await tools.glob("*.txt", f"{workspace}/{name}")).matches, name
        assert not (await tools.grep("secret", f"{workspace}/{name}")).matches, name
    for search in ("grep", "glob"):
        assert SECRET not in str(await getattr(tools, search)("secret*", str(workspace)))


async def test_nothing_outside_is_changed_through_a_link(
    tools: Tools, workspace: Path, outside: Path
) -> None:
    for name in links_out(workspace, outside):
        path = f"{workspace}/{name}"
        assert (await tools.write(path, "x")).error, name
        assert (await tools.edit(path, "secret", "x")).error, name
        assert await tools.upload(path, b"x") is not None, name
    for name in ("directory", "d/up/outside", f"root{outside}"):
        assert (await tools.write(f"{workspace}/{name}/new", "x")).error
        assert (await tools.write(f"{workspace}/{name}/new/deeper", "x")).error
        assert await tools.upload(f"{workspace}/{name}/new", b"x") is not None
        if DELETES:
            assert (await tools.delete(f"{workspace}/{name}/secret.txt")).error
    assert os.listdir(outside) == ["secret.txt"]
    assert (outside / "secret.txt").read_text() == SECRET


async def test_a_dangling_link_makes_nothing_outside(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "new").symlink_to(outside / "new")
    (workspace / "chain").symlink_to("new")
    for name in ("new", "chain"):
        assert (await tools.write(f"{workspace}/{name}", "x")).error
        assert await tools.upload(f"{workspace}/{name}", b"x") is not None
        assert (await tools.read(f"{workspace}/{name}")).error
    assert os.listdir(outside) == ["secret.txt"]
    assert (workspace / "new").is_symlink()


async def test_links_inside_are_followed(tools: Tools, workspace: Path) -> None:
    (workspace / "real").mkdir()
    (workspace / "real/f").write_text("needle\n")
    for name, target in {"near": "real", "absolute": workspace / "real/f", "chain": "near/f"}.items():
        (workspace / name).symlink_to(target)
    for name in ("near/f", "absolute", "chain"):
        path = f"{workspace}/{name}"
        assert text(await tools.read(path)) == "needle"
        assert await tools.download(path) == b"needle\n"
        assert (await tools.edit(path, "needle", "pin")).error is None
        assert (workspace / "real/f").read_text() == "pin\n"
        assert await tools.upload(path, b"needle\n") is None
    assert paths(await tools.ls(f"{workspace}/near")) == [f"{workspace}/near/f"]
    assert paths(await tools.grep("needle", f"{workspace}/near")) == [f"{workspace}/near/f"]
    assert paths(await tools.grep("needle", f"{workspace}/chain")) == [f"{workspace}/chain"]
    assert (await tools.write(f"{workspace}/near/new", "x")).error is None
    assert (workspace / "real/new").read_text() == "x"


@pytest.mark.skipif(not WRITE_REPLACES, reason="expected: before deepagents 0.7 write never replaces")
async def test_a_write_goes_to_the_file_and_the_link_stays(tools: Tools, workspace: Path) -> None:
    (workspace / "real").mkdir()
    (workspace / "real/f").write_text("old")
    (workspace / "link").symlink_to("real/f")
    assert (await tools.write(f"{workspace}/link", "new")).error is None
    assert (workspace / "link").is_symlink()
    assert (workspace / "real/f").read_text() == "new"
    assert os.listdir(workspace / "real") == ["f"]


async def test_loops_and_long_chains_end(tools: Tools, workspace: Path) -> None:
    (workspace / "loop").symlink_to("loop")
    (workspace / "ping").symlink_to("pong")
    (workspace / "pong").symlink_to("ping")
    (workspace / "into").symlink_to("into/deeper")
    (workspace / "0").symlink_to("f")
    for number in range(1, 60):
        (workspace / f"{number}").symlink_to(f"{number - 1}")
    (workspace / "f").write_text("end")
    assert text(await tools.read(f"{workspace}/30")) == "end"
    for name in ("loop", "ping", "into", "loop/f", "59"):
        path = f"{workspace}/{name}"
        for tool, *arguments in (
            ("read",),
            ("ls",),
            ("write", "x"),
            ("edit", "end", "x"),
            ("glob",),
            ("grep",),
        ):
            if tool in ("glob", "grep"):
                result = await getattr(tools, tool)("*", path)
            else:
                result = await getattr(tools, tool)(path, *arguments)
            assert result.error, (tool, name)
        if name != "59":  # a chain longer than the kernel's, which ends after all
            assert isinstance(await tools.download(path), str)
            assert await tools.upload(path, b"x") is not None
    assert (workspace / "f").read_text() == "end"


async def test_a_link_to_another_granted_directory_leads_there(
    workspace: Path, tmp_path: Path, drive: Drive
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "f").write_text("there\n")
    (workspace / "link").symlink_to(other)
    with NonoSandbox(working_dir=str(workspace), allow_read=[str(other)]) as sandbox:
        tools = drive(sandbox)
        assert text(await tools.read(f"{workspace}/link/f")) == "there"
        assert paths(await tools.ls(f"{workspace}/link")) == [f"{workspace}/link/f"]
        assert (await tools.write(f"{workspace}/link/f", "x")).error
        assert (await tools.edit(f"{workspace}/link/f", "there", "x")).error
    assert (other / "f").read_text() == "there\n"
