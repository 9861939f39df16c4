"""edit: exact, true to line ends, all or nothing."""

import stat
from pathlib import Path

import pytest
from deepagents.backends.protocol import EditResult
from tools import Tools


@pytest.mark.parametrize(
    ("before", "old", "new", "replace_all", "after", "occurrences"),
    [
        (b"one two\n", "two", "2", False, b"one 2\n", 1),
        (b"a a a", "a", "bb", True, b"bb bb bb", 3),
        (b"aaaa", "aa", "a", True, b"aa", 2),
        (b"x(.*)+[y]$\\n", "(.*)+[y]$\\n", "$1 \\1 \\g<0>", False, b"x$1 \\1 \\g<0>", 1),
        (b"one\r\ntwo\r\n", "one\ntwo", "1\n2", False, b"1\r\n2\r\n", 1),
        (b"one\r\ntwo\r\n", "one\r\ntwo", "1\r\n2", False, b"1\r\n2\r\n", 1),
        (b"one\ntwo\n", "one\r\ntwo", "1\r\n2", False, b"1\n2\n", 1),
        (b"one\r\ntwo\n", "two\n", "2\n3\n", False, b"one\r\n2\n3\n", 1),
        ("häßlich 漢 🎉".encode(), "漢 🎉", "ü", False, "häßlich ü".encode(), 1),
        (b"\xef\xbb\xbfone\n", "one", "1", False, b"\xef\xbb\xbf1\n", 1),
        (b"a\0b", "\0", "-", False, b"a-b", 1),
        (b"all of it", "all of it", "", False, b"", 1),
        (b"tail\n\n\n", "tail\n\n\n", "tail\n", False, b"tail\n", 1),
        (b"same", "same", "same", False, b"same", 1),
    ],
)
async def test_what_an_edit_makes_of_a_file(
    tools: Tools,
    workspace: Path,
    before: bytes,
    old: str,
    new: str,
    replace_all: bool,
    after: bytes,
    occurrences: int,
) -> None:
    path = workspace / "f"
    path.write_bytes(before)
    result = await tools.edit(str(path), old, new, replace_all)
    assert result == EditResult(path=str(path), occurrences=occurrences)
    assert path.read_bytes() == after


async def test_what_cannot_be_edited(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "d").mkdir()
    (workspace / "f").write_text("a a")
    (workspace / "empty").touch()
    (workspace / "binary").write_bytes(b"a\xff")
    ws = str(workspace)
    for path, old, error in (
        (f"{ws}/no", "a", f"Error: File '{ws}/no' not found"),
        (f"{ws}/no", "", "Error: old_string cannot be empty. Provide the exact text to replace."),
        (f"{ws}/f", "", "Error: old_string cannot be empty. Provide the exact text to replace."),
        (f"{ws}/d", "a", f"Error: '{ws}/d' is not a regular file"),
        (f"{ws}/binary", "a", f"Error: File '{ws}/binary' is not a text file"),
        (f"{ws}/f", "A", "Error: String not found in file: 'A'"),
        (f"{ws}/empty", "a", "Error: String not found in file: 'a'"),
        (
            f"{ws}/f",
            "a",
            "Error: String 'a' appears multiple times. Use replace_all=True to replace all occurrences.",
        ),
        (
            f"{outside}/secret.txt",
            "secret",
            f"Error: Permission denied editing file '{outside}/secret.txt'",
        ),
    ):
        assert await tools.edit(path, old, "b") == EditResult(error=error)
    assert (await tools.edit(f"{ws}/f", "a", "\ud800", True)).error
    assert (await tools.edit(f"{ws}/f", "\ud800", "a")).error
    assert (await tools.edit(f"{ws}/f/below", "a", "b")).error
    assert (workspace / "f").read_text() == "a a"
    assert (workspace / "binary").read_bytes() == b"a\xff"
    assert (outside / "secret.txt").read_text() == "the secret"


async def test_the_mode_stays(tools: Tools, workspace: Path) -> None:
    path = workspace / "tool"
    path.write_text("#!/bin/sh\necho old\n")
    path.chmod(0o750)
    assert (await tools.edit(str(path), "old", "new")).error is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o750


async def test_a_read_only_file_stays(tools: Tools, workspace: Path) -> None:
    path = workspace / "f"
    path.write_text("old")
    path.chmod(0o444)
    assert (await tools.edit(str(path), "old", "new")).error
    assert path.read_text() == "old"


async def test_megabytes_are_replaced_by_megabytes(tools: Tools, workspace: Path) -> None:
    path = workspace / "history.md"
    old, new = "old line\n" * 300_000, "new line\n" * 400_000
    path.write_text(old)
    assert await tools.edit(str(path), old, new) == EditResult(path=str(path), occurrences=1)
    assert path.read_text() == new
    assert (await tools.edit(str(path), "new", "newer", True)).occurrences == 400_000
