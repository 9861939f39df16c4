"""grep: literal text, in a stable order, by the SDK's rules for `glob`."""

import os
from pathlib import Path
from typing import Any

import pytest
from deepagents.backends.protocol import GrepResult
from releases import GREP_SAYS_TRUNCATED, shape
from tools import Tools, paths


def matches(*found: tuple[Path, int, str]) -> GrepResult:
    return shape(
        GrepResult, matches=[{"path": str(path), "line": line, "text": text} for path, line, text in found]
    )


def fill(root: Path, *names: str, content: bytes = b"needle\n") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


async def names(tools: Tools, root: Path, *args: Any, **kwargs: Any) -> list[str]:
    return [os.path.relpath(path, root) for path in paths(await tools.grep(*args, **kwargs))]


async def test_matches_say_where_and_what(tools: Tools, workspace: Path) -> None:
    (workspace / "f").write_text("no\n  a needle, and a needle \n\nneedle")
    assert await tools.grep("needle", str(workspace)) == matches(
        (workspace / "f", 2, "  a needle, and a needle "), (workspace / "f", 4, "needle")
    )


async def test_the_order_is_that_of_the_paths_bytes(tools: Tools, workspace: Path) -> None:
    found = ["a-b", "a.txt", "a/b/c", "a/x", "a0", "Z", "ä", "b/1", ".h/x", "a/.y"]
    fill(workspace, *found, content=b"needle\nneedle\n")
    expected = [name for name in sorted(found) for _ in range(2)]
    for _ in range(3):
        assert await names(tools, workspace, "needle", str(workspace)) == expected


async def test_text_is_literal(tools: Tools, workspace: Path) -> None:
    lines = [
        "a.c",
        "abc",
        "^a",
        "a$",
        "[a]",
        "a*",
        "a\\d",
        "(a|b)",
        "-e",
        "A.C",
        'q"q',
        "'a'",
        "$(a)",
        "漢字",
    ]
    (workspace / "f").write_text("\n".join(lines) + "\n")
    for number, line in enumerate(lines, 1):
        expected = [index for index, other in enumerate(lines, 1) if line in other]
        assert number in expected
        result = await tools.grep(line, str(workspace))
        assert [match["line"] for match in result.matches] == expected


async def test_nothing_is_no_error(tools: Tools, workspace: Path) -> None:
    assert await tools.grep("needle", str(workspace)) == matches()
    fill(workspace, "f", "empty", content=b"")
    assert await tools.grep("needle", str(workspace)) == matches()
    assert await tools.grep("needle", f"{workspace}/f") == matches()


async def test_where_it_starts(tools: Tools, workspace: Path) -> None:
    fill(workspace, "d/f", "other/f")
    expected = matches((workspace / "d/f", 1, "needle"))
    for path in (f"{workspace}/d", f"{workspace}/d/", f"{workspace}/d/f"):
        assert await tools.grep("needle", path) == expected
    assert await names(tools, workspace, "needle") == ["d/f", "other/f"]
    assert await tools.grep("needle", None) == await tools.grep("needle", str(workspace))


async def test_what_cannot_be_searched(tools: Tools, workspace: Path, outside: Path) -> None:
    fill(workspace, "f")
    for path in (f"{workspace}/no", str(outside), f"{outside}/secret.txt", f"{workspace}/f/below"):
        result = await tools.grep("secret", path)
        assert result.error and result.matches is None


async def test_line_ends_are_not_part_of_the_text(tools: Tools, workspace: Path) -> None:
    (workspace / "f").write_bytes(b"needle 1\nneedle 2\r\nx\rneedle 3\x0cx\nneedle 4")
    found = (await tools.grep("needle", str(workspace))).matches
    assert [match["line"] for match in found] == [1, 2, 3, 4]
    assert not any("\n" in match["text"] for match in found)
    assert found[0]["text"] == "needle 1" and found[3]["text"] == "needle 4"


async def test_binary_files_are_skipped(tools: Tools, workspace: Path) -> None:
    fill(workspace, "a.bin", content=b"\0needle\n")
    fill(workspace, "b.bin", content=b"needle\n" + b"x" * 300 + b"\0")
    fill(workspace, "c.txt", content=b"needle\n")
    fill(workspace, "d.txt", content=b"caf\xe9 needle\n")
    assert await names(tools, workspace, "needle", str(workspace)) == ["c.txt", "d.txt"]


async def test_what_is_not_utf8_is_replaced(tools: Tools, workspace: Path) -> None:
    fill(workspace, "f", content=b"caf\xe9 needle\n")
    (match,) = (await tools.grep("needle", str(workspace))).matches
    assert match["text"] == "caf\ufffd needle"


async def test_git_directories_are_searched_only_from_within(tools: Tools, workspace: Path) -> None:
    fill(workspace, ".git/objects/x", "sub/.git/HEAD", ".github/x", ".gitignore", "git/x", "a.git/x")
    expected = [".github/x", ".gitignore", "a.git/x", "git/x"]
    assert await names(tools, workspace, "needle", str(workspace)) == expected
    assert await names(tools, workspace, "needle", f"{workspace}/.git") == [".git/objects/x"]
    assert await names(tools, workspace, "needle", f"{workspace}/.git/objects") == [".git/objects/x"]
    assert await names(tools, workspace, "needle", f"{workspace}/sub/.git/HEAD") == ["sub/.git/HEAD"]


async def test_hidden_and_ignored_files_are_searched(tools: Tools, workspace: Path) -> None:
    (workspace / ".gitignore").write_text("ignored\n")
    (workspace / ".ignore").write_text("ignored\n")
    fill(workspace, "ignored", ".hidden", ".d/.e/f")
    assert await names(tools, workspace, "needle", str(workspace)) == [".d/.e/f", ".hidden", "ignored"]


async def test_links_met_on_the_way_are_not_followed(tools: Tools, workspace: Path, outside: Path) -> None:
    fill(workspace, "real/f")
    (outside / "f").write_text("needle\n")
    for name, target in {
        "file": "real/f",
        "directory": "real",
        "far": str(outside),
        "far_file": f"{outside}/f",
        "up": ".",
    }.items():
        (workspace / name).symlink_to(target)
    assert await names(tools, workspace, "needle", str(workspace)) == ["real/f"]
    for start in ("far", "far_file", "far/f"):
        assert not (await tools.grep("needle", f"{workspace}/{start}")).matches


async def test_max_count_bounds_all_matches(tools: Tools, workspace: Path) -> None:
    fill(workspace, "a", "b", "c", content=b"needle\nneedle\n")
    every = (await tools.grep("needle", str(workspace))).matches
    assert len(every) == 6
    for count in (1, 2, 3, 5, 6, 7, 1000):
        result = await tools.grep("needle", str(workspace), max_count=count)
        assert result.matches == every[:count]
        if GREP_SAYS_TRUNCATED:
            assert result.truncated == (count < 6)


GLOBS = {
    "*.py": ["a.py", "b/c.py", "b/d/e.py", ".h/i.py"],
    "a.*": ["a.py"],
    "*.{py,txt}": ["a.py", "b/c.py", "b/d/e.py", "b/f.txt", ".h/i.py"],
    "[ab].py": ["a.py"],
    "[!a].py": ["b/c.py", "b/d/e.py", ".h/i.py"],
    "[c-e].py": ["b/c.py", "b/d/e.py"],
    "?.py": ["a.py", "b/c.py", "b/d/e.py", ".h/i.py"],
    ".*": [".dot"],
    "*.PY": [],
    "b/*.py": ["b/c.py"],
    "b/**": ["b/c.py", "b/d/e.py", "b/f.txt"],
    "b/**/*.py": ["b/c.py", "b/d/e.py"],
    "**/*.py": ["a.py", "b/c.py", "b/d/e.py"],
    "/*.py": ["a.py"],
    "/b/c.py": ["b/c.py"],
    "{b,nowhere}/*.txt": ["b/f.txt"],
    "**/d/*": ["b/d/e.py"],
    ".h/*": [".h/i.py"],
    "*/[ce].py": ["b/c.py"],
    "d/*.py": [],
}


@pytest.mark.parametrize("pattern", GLOBS)
async def test_a_glob_chooses_the_files(tools: Tools, workspace: Path, pattern: str) -> None:
    root = workspace / "root"
    fill(root, "a.py", "b/c.py", "b/d/e.py", "b/f.txt", ".h/i.py", ".dot", "plain")
    assert await names(tools, root, "needle", str(root), pattern) == sorted(GLOBS[pattern])


async def test_a_glob_does_not_lead_up(tools: Tools, workspace: Path) -> None:
    fill(workspace, "f", "d/f")
    for pattern in ("../f", "../*", "d/../../*"):
        result = await tools.grep("needle", f"{workspace}/d", pattern)
        assert result.error and not result.matches


async def test_long_lines_are_found(tools: Tools, workspace: Path) -> None:
    line = "x" * 50_000 + "needle" + "y" * 50_000
    (workspace / "f").write_text(f"short\n{line}\nneedle")
    assert await tools.grep("needle", str(workspace)) == matches(
        (workspace / "f", 2, line), (workspace / "f", 3, "needle")
    )


async def test_a_match_at_every_place_of_a_buffer(tools: Tools, workspace: Path) -> None:
    """Lines so long that every usual buffer's end lies somewhere inside a match of some file."""
    places = [
        size + shift for size in (4096, 32768, 65536, 131072, 262144, 1 << 20) for shift in (-9, -6, -3, 0)
    ]
    for place in places:
        (workspace / f"{place:08}").write_bytes(b"x" * (place - 1) + b"\n" + b"needle\n")
    found = (await tools.grep("needle", str(workspace))).matches
    assert [(int(os.path.basename(match["path"])), match["line"], match["text"]) for match in found] == [
        (place, 2, "needle") for place in sorted(places)
    ]


async def test_text_that_no_file_can_hold_is_no_exception(tools: Tools, workspace: Path) -> None:
    fill(workspace, "f", content=b"one\ntwo\n")
    for pattern in ("one\ntwo", "\0", "\ud800"):
        result = await tools.grep(pattern, str(workspace))
        assert result.error or isinstance(result.matches, list)
