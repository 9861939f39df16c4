"""Names as the kernel allows them: newlines, bytes that are no text, paths that are too long, and NUL."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from releases import DELETES, GLOB_IS_ABSOLUTE
from tools import Tools, paths, text

STRANGE = [
    *(
        "a\nb",
        "\n",
        "a\rb",
        "\t",
        " ",
        "  two ",
        "-rf",
        "--",
        "'",
        '"',
        "\\",
        "\\n",
        "$(id)",
        "`id`",
        "*",
        "?",
        "[x]",
    ),
    *(
        "{a,b}",
        ":",
        "a:1:b",
        "~",
        "~root",
        "#",
        "!x",
        "\x01",
        "\x7f",
        "\x1b[31m",
        "漢字",
        "e\u0301",
        "\u202e",
        "...",
        "..a",
    ),
    "n" * 255,
]


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
async def test_a_strange_name_is_a_name(tools: Tools, workspace: Path, name: str) -> None:
    path = f"{workspace}/{name}"
    assert (await tools.write(path, "needle\n")).error is None
    assert os.listdir(workspace) == [name]
    assert text(await tools.read(path)) == "needle"
    assert await tools.download(path) == b"needle\n"
    assert paths(await tools.ls(str(workspace))) == [path]
    assert paths(await tools.grep("needle", str(workspace))) == [path]
    assert paths(await tools.grep("needle", path)) == [path]
    assert (await tools.edit(path, "needle", "pin")).error is None
    if GLOB_IS_ABSOLUTE:
        found = paths(await tools.glob(".*" if name.startswith(".") else "*", str(workspace)))
        assert found == [path]
    assert await tools.upload(path, b"needle\n") is None
    assert os.listdir(workspace) == [name]
    if DELETES:
        assert (await tools.delete(path)).error is None
        assert os.listdir(workspace) == []


@pytest.mark.parametrize("name", STRANGE[:20], ids=ascii)
async def test_a_directory_of_a_strange_name_is_a_directory(tools: Tools, workspace: Path, name: str) -> None:
    path = f"{workspace}/{name}"
    assert (await tools.write(f"{path}/f", "needle\n")).error is None
    assert paths(await tools.ls(path)) == [f"{path}/f"]
    assert paths(await tools.grep("needle", path)) == [f"{path}/f"]
    if GLOB_IS_ABSOLUTE:
        assert paths(await tools.glob("f", path)) == [f"{path}/f"]


@pytest.mark.parametrize(
    "name", [b"\xff", b"caf\xe9.txt", b"a\xed\xa0\x80b", b"\xf0\x9f", b"\xc0\xaf"], ids=bytes.hex
)
async def test_names_that_are_no_text_are_shown_so_that_nothing_raises(
    tools: Tools, workspace: Path, name: bytes
) -> None:
    fd = os.open(os.fsencode(workspace) + b"/" + name, os.O_CREAT | os.O_WRONLY)
    os.write(fd, b"needle\n")
    os.close(fd)
    (workspace / "plain").write_text("needle\n")
    listing = await tools.ls(str(workspace))
    results = [listing, await tools.grep("needle", str(workspace)), await tools.glob("*", str(workspace))]
    for result in results:
        shown = paths(result)
        assert json.dumps(shown).encode() and "".join(shown).encode()
        assert any(path.endswith("plain") for path in shown)
    assert len(listing.entries) == 2
    assert any("\ufffd" in path for path in paths(listing))
    assert await tools.upload(f"{workspace}/new", b"") is None


def calls(path: str) -> dict[str, tuple[Any, ...]]:
    """One call of each tool with this path."""
    every: dict[str, tuple[Any, ...]] = {
        "ls": (path,),
        "read": (path,),
        "write": (path, "x"),
        "edit": (path, "a", "b"),
        "grep": ("a", path),
        "glob": ("*", path),
        "delete": (path,),
    }
    return every if DELETES else {tool: every[tool] for tool in every if tool != "delete"}


IMPOSSIBLE = {
    "NUL": "a\0b",
    "NUL at the end": "a\0",
    "NUL below": "a/\0/b",
    "a surrogate": "\ud800",
    "a name of 256": "n" * 256,
    "4096 bytes": "/".join(["directory"] * 410),
    "5000 bytes": "d/" * 2500,
    "a megabyte": "d/" * 500_000,
    "a million letters": "n" * 1_000_000,
}


@pytest.mark.parametrize("which", IMPOSSIBLE)
async def test_impossible_paths_are_errors(tools: Tools, workspace: Path, which: str) -> None:
    (workspace / "kept").write_text("a")
    path = f"{workspace}/{IMPOSSIBLE[which]}"
    for tool, arguments in calls(path).items():
        result = await getattr(tools, tool)(*arguments)
        assert result.error and "Traceback" not in result.error, tool
    if (
        "/" not in IMPOSSIBLE[which]
    ):  # transfers go name by name, so that a path may be longer than one call takes
        assert await tools.upload(path, b"x") == "invalid_path"
        assert await tools.download(path) == "invalid_path"
    assert os.listdir(workspace) == ["kept"]


@pytest.mark.parametrize("path", ["", "x", "./x", "../x", "~", "~/x", "\0", "x/../y"])
async def test_relative_paths_are_errors(tools: Tools, workspace: Path, path: str) -> None:
    (workspace / "x").write_text("a")
    for tool, arguments in calls(path).items():
        if path or tool not in ("grep", "glob"):  # for which no path is one
            assert (await getattr(tools, tool)(*arguments)).error, tool
    assert await tools.upload(path, b"x") == await tools.download(path) == "invalid_path"
    assert os.listdir(workspace) == ["x"]


async def test_the_longest_path_is_a_path(tools: Tools, workspace: Path) -> None:
    room = 4095 - len(os.fsencode(workspace)) - 1
    path = f"{workspace}/" + ("d" * 99 + "/") * (room // 100) + "f" * (room % 100)
    if path.endswith("/"):
        path = path[:-2] + "/f"
    assert len(path) <= 4095
    assert (await tools.write(path, "needle\n")).error is None
    assert text(await tools.read(path)) == "needle"
    assert (await tools.edit(path, "needle", "a needle")).error is None
    assert await tools.download(path) == b"a needle\n"
    assert paths(await tools.grep("needle", str(workspace))) == [path]
    if GLOB_IS_ABSOLUTE:
        assert paths(await tools.glob("f*", str(workspace))) == [path]


async def test_deeper_than_any_path(tools: Tools, workspace: Path) -> None:
    """What lies deeper than a path can say is found or is not; what lies beside it is found."""
    fd = os.open(workspace, os.O_DIRECTORY)
    for _ in range(300):  # what removes them after the test calls itself for each
        os.mkdir("directory" * 3, dir_fd=fd)
        below = os.open("directory" * 3, os.O_DIRECTORY, dir_fd=fd)
        os.close(fd)
        fd = below
    deep = os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=fd)
    os.write(deep, b"needle\n")
    os.close(deep)
    os.close(fd)
    (workspace / "f").write_text("needle\n")
    found = paths(await tools.grep("needle", str(workspace)))
    assert f"{workspace}/f" in found and len(found) <= 2
    found = [os.path.join(workspace, path) for path in paths(await tools.glob("**/f", str(workspace)))]
    assert f"{workspace}/f" in found and len(found) <= 2


async def test_dots_and_slashes_are_taken_as_the_kernel_takes_them(tools: Tools, workspace: Path) -> None:
    (workspace / "d").mkdir()
    (workspace / "f").write_text("needle\n")
    for name in ("./f", "//f", "d/../f", "d/.././/f", "d/./../f"):
        assert text(await tools.read(f"{workspace}/{name}")) == "needle", name
    assert (await tools.read(f"{workspace}/f/")).error
    assert (await tools.read(f"{workspace}/no/../f")).error
    assert text(await tools.read("//" + str(workspace).lstrip("/") + "/f")) == "needle"
