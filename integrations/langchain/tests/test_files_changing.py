"""Files and directories that somebody else changes while a tool is at work."""

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from releases import DELETES
from tools import Tools, paths, text

TURNS = 100
LINE = b"a line of thirty-two bytes, yes\n"


@contextmanager
def meanwhile(*changes: Callable[[], object]) -> Iterator[None]:
    """Makes the changes again and again, each in a thread of its own."""
    stop = threading.Event()

    def change(what: Callable[[], object]) -> None:
        while not stop.is_set():
            what()

    threads = [threading.Thread(target=change, args=(what,), daemon=True) for what in changes]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


async def test_a_file_that_shrinks_and_grows(tools: Tools, workspace: Path) -> None:
    path = workspace / "f"
    path.write_bytes(LINE * 20_000)

    def change() -> None:
        os.truncate(path, len(LINE) * 3)
        with path.open("r+b") as file:
            file.write(LINE * 20_000)

    expected = set(text(await tools.read(str(path), 0, 20_000)) or "")
    with meanwhile(change):
        for turn in range(TURNS):
            result = await tools.read(str(path), (turn % 3) * 5_000, 20_000)
            if result.error:
                assert result.error.startswith(f"File '{path}': Line offset ")
            else:  # what was truncated may be read as NULs, never as something else
                shown = text(result) or ""
                assert set(shown.split("[Output was truncated")[0]) <= expected | {"\0"}
            found = await tools.grep("thirty", str(path))
            assert found.error is None
            content = await tools.download(str(path))
            assert isinstance(content, bytes) and set(content) <= set(LINE) | {0}


async def test_a_file_that_is_written_to_without_end(tools: Tools, workspace: Path) -> None:
    """A log: what is read ends, although the file does not."""
    path = workspace / "log"
    path.touch()

    def change() -> None:
        with path.open("ab") as file:
            file.write(LINE * 100)
        if path.stat().st_size > 4 << 20:
            os.truncate(path, 0)

    with meanwhile(change):
        for _ in range(TURNS // 4):
            for result in (await tools.read(str(path), 10, 10), await tools.grep("thirty", str(path))):
                assert result.error is None or "Line offset" in result.error
            assert isinstance(await tools.download(str(path)), bytes)


async def test_a_file_that_comes_and_goes(tools: Tools, workspace: Path) -> None:
    path, aside = workspace / "f", workspace / "aside"
    path.write_bytes(LINE)

    def change() -> None:
        path.rename(aside)
        aside.rename(path)

    with meanwhile(change):
        for _ in range(TURNS):
            assert (await tools.read(str(path))).error in (None, f"File '{path}': file_not_found")
            assert await tools.download(str(path)) in (LINE, "file_not_found")
            assert (await tools.ls(str(workspace))).error is None
            assert (await tools.grep("thirty", str(workspace))).error is None
            assert (await tools.glob("*", str(workspace))).error is None


async def test_directories_that_come_and_go(tools: Tools, workspace: Path) -> None:
    (workspace / "kept").write_bytes(LINE)

    def change() -> None:
        (workspace / "d/e").mkdir(parents=True)
        (workspace / "d/e/f").write_bytes(LINE)
        shutil.rmtree(workspace / "d")

    with meanwhile(change):
        for _ in range(TURNS):
            assert f"{workspace}/kept" in paths(await tools.grep("thirty", str(workspace)))
            found = paths(await tools.glob("kept", str(workspace)))
            assert [os.path.join(workspace, path) for path in found] == [f"{workspace}/kept"]
            assert f"{workspace}/kept" in paths(await tools.ls(str(workspace)))
            for path in (f"{workspace}/d", f"{workspace}/d/e"):
                assert (await tools.ls(path)).error in (None, f"Path '{path}': path_not_found")


async def test_a_write_into_a_directory_that_goes(tools: Tools, workspace: Path) -> None:
    """It is written, or there is an error; parents that go at the wrong moment are no exception."""
    done = 0
    with meanwhile(lambda: shutil.rmtree(workspace / "d", ignore_errors=True)):
        for turn in range(TURNS):
            result = await tools.write(f"{workspace}/d/e/f{turn}", "x")
            assert (result.error is None) == (result.path is not None)
            assert "Traceback" not in str(result)
            done += result.error is None
    assert done


async def test_two_writers_of_one_file(tools: Tools, workspace: Path) -> None:
    """One of both contents is there in the end, and nothing else."""
    contents = ["a" * 100_000, "b" * 50_000]

    def change() -> None:
        tools.backend.write(f"{workspace}/f", contents[1])

    with meanwhile(change):
        for _ in range(TURNS // 4):
            await tools.write(f"{workspace}/f", contents[0])
    assert (workspace / "f").read_text() in contents
    assert os.listdir(workspace) == ["f"]


@pytest.mark.skipif(not DELETES, reason="expected: there is no delete before deepagents 0.7")
async def test_a_tree_that_grows_while_it_is_deleted(tools: Tools, workspace: Path) -> None:
    def change() -> None:
        with contextlib.suppress(OSError):  # of a directory that has just gone
            (workspace / "d/e").mkdir(parents=True, exist_ok=True)
            for number in range(20):
                (workspace / f"d/e/{number}").touch()

    with meanwhile(change):
        for _ in range(TURNS // 4):
            result = await tools.delete(f"{workspace}/d")
            assert (result.error is None) == (result.path is not None)
