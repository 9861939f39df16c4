"""ls: what is listed, in which order, with which facts."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tools import Drive, Tools, paths

from langchain_nono import NonoSandbox

MANY = 100_000


def time_of(entry: dict[str, Any]) -> float:
    """`modified_at` as seconds; it is ISO 8601 and says that it is UTC."""
    moment = datetime.fromisoformat(entry["modified_at"])
    assert moment.utcoffset() == datetime.now(UTC).utcoffset()
    return moment.timestamp()


async def test_entries_are_sorted_and_have_size_and_time(tools: Tools, workspace: Path) -> None:
    (workspace / "b.txt").write_bytes(b"12345")
    (workspace / "a").mkdir()
    (workspace / "a-b").touch()
    (workspace / ".hidden").touch()
    (workspace / "Z").touch()
    (workspace / "ä").touch()
    os.utime(workspace / "b.txt", (1_000_000_000, 1_000_000_000))
    result = await tools.ls(str(workspace))
    assert [os.path.basename(path) for path in paths(result)] == [".hidden", "Z", "a", "a-b", "b.txt", "ä"]
    assert all(set(entry) == {"path", "is_dir", "size", "modified_at"} for entry in result.entries)
    facts = {os.path.basename(entry["path"]): (entry["is_dir"], entry["size"]) for entry in result.entries}
    assert facts["a"] == (True, 0)
    assert facts["b.txt"] == (False, 5)
    assert facts[".hidden"] == (False, 0)
    assert time_of(result.entries[4]) == 1_000_000_000
    assert abs(time_of(result.entries[2]) - (workspace / "a").stat().st_mtime) < 1


async def test_times_are_utc_wherever_the_caller_lives(
    tools: Tools, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    (workspace / "a").touch()
    os.utime(workspace / "a", (1_700_000_000, 1_700_000_000))
    (entry,) = (await tools.ls(str(workspace))).entries
    assert time_of(entry) == 1_700_000_000


async def test_paths_are_absolute_without_a_slash_at_the_end(tools: Tools, workspace: Path) -> None:
    (workspace / "d/e").mkdir(parents=True)
    for path in (f"{workspace}/d", f"{workspace}/d/", f"{workspace}//d//"):
        (found,) = paths(await tools.ls(path))
        assert os.path.normpath(found) == f"{workspace}/d/e" and not found.endswith("/")


async def test_an_empty_directory_is_an_empty_list(tools: Tools, workspace: Path) -> None:
    result = await tools.ls(str(workspace))
    assert (result.error, result.entries) == (None, [])


async def test_what_cannot_be_listed(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "file").touch()
    for path, code in (
        (f"{workspace}/no", "path_not_found"),
        (f"{workspace}/no/deeper", "path_not_found"),
        (f"{workspace}/file", "not_a_directory"),
        (f"{workspace}/file/below", "not_a_directory"),
        (str(outside), "permission_denied"),
        (f"{workspace}/../outside", "permission_denied"),
        ("/root", "permission_denied"),
    ):
        result = await tools.ls(path)
        assert (result.error, result.entries) == (f"Path '{path}': {code}", None)


async def test_links_are_listed_by_what_they_reach(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "real").mkdir()
    (workspace / "file").write_bytes(b"12345")
    for name, target in {
        "directory": "real",
        "dangling": "nowhere",
        "loop": "loop",
        "to_file": "file",
    }.items():
        (workspace / name).symlink_to(target)
    entries = {os.path.basename(entry["path"]): entry for entry in (await tools.ls(str(workspace))).entries}
    assert {name for name, entry in entries.items() if entry["is_dir"]} == {"real", "directory"}
    assert set(entries) == {"real", "file", "directory", "dangling", "loop", "to_file"}
    assert entries["directory"]["path"] == f"{workspace}/directory"


async def test_a_link_tells_nothing_of_what_lies_outside(
    tools: Tools, workspace: Path, outside: Path
) -> None:
    """The entry of a link to what is there and of one to what is not differ in their names only."""
    (outside / "directory").mkdir()
    (outside / "the_file!").write_bytes(b"x" * 12345)
    for name, target in {"1": "directory", "2": "the_file!", "3": "nowhere!!"}.items():
        link = workspace / name
        link.symlink_to(outside / target)
        os.utime(link, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    result = await tools.ls(str(workspace))
    assert [os.path.basename(path) for path in paths(result)] == ["1", "2", "3"]
    one, two, three = ({**entry, "path": ""} for entry in result.entries)
    assert one == two == three
    assert not one["is_dir"]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("crowd")
    fd = os.open(directory, os.O_DIRECTORY)
    for number in range(MANY):
        os.close(os.open(f"{number:06}", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
    os.close(fd)
    yield directory
    shutil.rmtree(directory)


async def test_a_directory_of_very_many_files(crowd: Path, drive: Drive) -> None:
    with NonoSandbox(working_dir=str(crowd)) as sandbox:
        found = paths(await drive(sandbox).ls(str(crowd)))
    assert found == [f"{crowd}/{number:06}" for number in range(MANY)]
