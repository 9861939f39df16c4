"""delete: everything below a name, nothing behind a link."""

import os
from pathlib import Path

import pytest
from releases import DELETES
from tools import Tools

pytestmark = pytest.mark.skipif(not DELETES, reason="expected: there is no delete before deepagents 0.7")


async def test_files_and_trees_go(tools: Tools, workspace: Path) -> None:
    (workspace / "f").touch()
    (workspace / "d/e/.hidden").mkdir(parents=True)
    for name in ("d/1", "d/e/2", "d/e/.hidden/3"):
        (workspace / name).write_text("x")
    for name in ("f", "d"):
        result = await tools.delete(f"{workspace}/{name}")
        assert (result.error, result.path) == (None, f"{workspace}/{name}")
    assert os.listdir(workspace) == []


async def test_what_is_not_there(tools: Tools, workspace: Path) -> None:
    (workspace / "f").touch()
    for path in (f"{workspace}/no", f"{workspace}/no/deeper"):
        assert (await tools.delete(path)).error == f"Error: '{path}' not found"
    assert (await tools.delete(f"{workspace}/f/below")).error


async def test_links_are_not_followed(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "d").mkdir()
    (workspace / "kept").mkdir()
    (workspace / "kept/f").touch()
    (workspace / "d/far").symlink_to(outside)
    (workspace / "d/near").symlink_to("../kept")
    (workspace / "d/loop").symlink_to("loop")
    (workspace / "near").symlink_to("kept")
    (workspace / "far").symlink_to(outside)
    (workspace / "dangling").symlink_to("nowhere")
    for name in ("d", "near", "far", "dangling"):
        assert (await tools.delete(f"{workspace}/{name}")).error is None
    assert sorted(str(path.relative_to(workspace)) for path in workspace.rglob("*")) == ["kept", "kept/f"]
    assert (outside / "secret.txt").read_text() == "the secret"


async def test_a_slash_after_a_link_does_not_reach_what_it_points_to(
    tools: Tools, workspace: Path, outside: Path
) -> None:
    (workspace / "kept").mkdir()
    (workspace / "kept/f").touch()
    (workspace / "near").symlink_to("kept")
    (workspace / "far").symlink_to(outside)
    for name in ("near/", "near/.", "far/", "far/."):
        await tools.delete(f"{workspace}/{name}")
    assert (workspace / "kept/f").exists()
    assert (outside / "secret.txt").exists()


async def test_the_working_directory_stays(tools: Tools, workspace: Path) -> None:
    (workspace / "d").mkdir()
    (workspace / "f").touch()
    for path in ("", "/", "/.", "/d/..", "/d/../"):
        assert (await tools.delete(f"{workspace}{path}")).error
    assert (await tools.delete(str(workspace.parent))).error
    assert sorted(os.listdir(workspace)) == ["d", "f"]


async def test_nothing_outside_goes(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "far").symlink_to(outside)
    for path in (
        str(outside),
        f"{outside}/secret.txt",
        f"{workspace}/../outside",
        f"{workspace}/far/secret.txt",
    ):
        assert (await tools.delete(path)).error
    assert (outside / "secret.txt").read_text() == "the secret"


async def test_special_names_go(tools: Tools, workspace: Path) -> None:
    os.mkfifo(workspace / "fifo")
    (workspace / "-rf").touch()
    (workspace / "a\nb").touch()
    (workspace / "kept").touch()
    for name in ("fifo", "-rf", "a\nb"):
        assert (await tools.delete(f"{workspace}/{name}")).error is None
    assert os.listdir(workspace) == ["kept"]


def dig(directory: Path, name: str) -> None:
    """300 directories in each other: the path of the last may be longer than any call takes.

    No deeper, for what removes them after the test calls itself for each.
    """
    directory.mkdir()
    fd = os.open(directory, os.O_DIRECTORY)
    for _ in range(300):
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)


async def test_a_deep_tree_goes(tools: Tools, workspace: Path) -> None:
    dig(workspace / "deep", "directory")
    assert (await tools.delete(f"{workspace}/deep")).error is None
    assert os.listdir(workspace) == []


async def test_a_tree_deeper_than_paths_are_long_goes_or_is_refused(tools: Tools, workspace: Path) -> None:
    dig(workspace / "deep", "directory" * 3)
    result = await tools.delete(f"{workspace}/deep")
    assert (result.error is None) == (os.listdir(workspace) == [])
    assert "Traceback" not in str(result)
