"""read: pages, their windows, binary files, and what the stock read of the installed release answers."""

import base64
import dataclasses
import functools
from pathlib import Path
from typing import Any

import pytest
from deepagents.backends.protocol import ReadResult
from releases import READ_HAS_WINDOW, shape
from stock import PlainShell
from tools import Drive, Tools, text

from langchain_nono import NonoSandbox

LIMIT = 512_000  # bytes of a text page, and of a binary file
LINES = "".join(f"line {number}\n" for number in range(1, 1001))

# Name to content. What the stock read gets wrong has tests of its own below.
FILES: dict[str, bytes] = {
    "thousand.txt": LINES.encode(),
    "no-newline-at-end.txt": b"one\ntwo",
    "one-line.txt": b"one\n",
    "only-newlines.txt": b"\n\n\n",
    "one-newline.txt": b"\n",
    "blank-at-end.txt": b"one\n\n",
    "crlf.txt": b"one\r\ntwo\r\n\r\nfour",
    "cr.txt": b"one\rtwo\rthree",
    "mixed-ends.txt": b"one\r\ntwo\nthree\rfour\r\r\nsix\n\rseven\r",
    "other-breaks.txt": "one\x0btwo\x0cthree\x1cfour\x85five\u2028six\n".encode(),
    "nul.txt": b"one\0two\nthree\n",
    "unicode.txt": "häßlich 漢字 🎉\nzweite\n".encode(),
    "byte-order-mark.txt": b"\xef\xbb\xbfone\ntwo\n",
    "unicode-across-8192.txt": ("x" * 8190 + "漢" * 100 + "\nnext\n").encode(),
    "long-line.txt": b"x" * 600_000 + b"\nsecond\n",
    "long-line-unicode.txt": ("x" + "漢" * 200_000 + "\nsecond\n").encode(),
    "long-second-line.txt": b"first\n" + b"x" * 600_000 + b"\nthird\n",
    "many-long-lines.txt": (b"y" * 9999 + b"\n") * 80,
    "full-to-the-byte.txt": b"z" * 511_788 + b"\n" + b"z" * 100,
    "two-megabytes.txt": b"0123456789abcde\n" * 131_072,
    "latin1.txt": "häßlich\n".encode("latin-1"),
    "bytes.dat": bytes(range(256)),
    "bytes": b"\x80\x81\x82",
    "image.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "text-inside.pdf": b"plain text\n",
    "CAPITALS.JPG": b"plain text\n",
    "video.mkv": b"plain text\n",
    "largest.png": bytes(LIMIT),
    "too-large.png": bytes(LIMIT + 1),
    "empty.txt": b"",
    "empty.png": b"",
    ".png": b"no extension\n",
    "json.json": b'{"error": "none"}\n',
}
PAGES = [(0, 2000), (1, 1), (0, 0), (3, -1), (-4, 2), (999, 10), (1000, 1)]

compared = pytest.mark.skipif(
    not READ_HAS_WINDOW, reason="expected: before deepagents 0.7.1 the stock read has another contract"
)


def facts(result: ReadResult) -> dict[str, Any]:
    """All that a result says; times are not the stock read's to give."""
    fields = dataclasses.asdict(result)
    if result.file_data:
        fields["file_data"] = {key: result.file_data[key] for key in ("content", "encoding")}
    return fields


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("table")
    for name, content in FILES.items():
        (directory / name).write_bytes(content)
    return directory


@functools.cache
def stock_read(path: str, offset: int, limit: int) -> dict[str, Any]:
    return facts(PlainShell().read(path, offset, limit))


@compared
@pytest.mark.parametrize("name", FILES)
async def test_reads_are_those_of_the_stock_backend(table: Path, drive: Drive, name: str) -> None:
    path = str(table / name)
    with NonoSandbox(working_dir=str(table)) as sandbox:
        pages = [(page, facts(await drive(sandbox).read(path, *page))) for page in PAGES]
    for page, ours in pages:
        theirs = stock_read(path, *page)
        if (
            theirs["total_lines"] is None and ours["total_lines"] is not None
        ):  # it does not count in large files
            assert ours["total_lines"] == FILES[name].count(b"\n")
            ours["total_lines"] = None
        assert ours == theirs, page


async def test_a_page_has_a_window(tools: Tools, workspace: Path) -> None:
    path = workspace / "f.txt"
    path.write_text(LINES)
    data = {"content": "line 11\nline 12", "encoding": "utf-8"}
    result = await tools.read(str(path), 10, 2)
    assert result.file_data == {**(result.file_data or {}), **data}
    assert result == shape(
        ReadResult, file_data=result.file_data, total_lines=1000, start_line=11, end_line=12, next_offset=12
    )
    last = await tools.read(str(path), 998, 2)
    assert text(last) == "line 999\nline 1000"
    assert last == shape(
        ReadResult,
        file_data=last.file_data,
        total_lines=1000,
        start_line=999,
        end_line=1000,
        next_offset=None,
    )


async def test_pages_put_together_are_the_file(tools: Tools, workspace: Path) -> None:
    path = workspace / "f.txt"
    path.write_text(LINES)
    pages = [text(await tools.read(str(path), offset, 100)) or "" for offset in range(0, 1000, 100)]
    assert "\n".join(pages) + "\n" == LINES


async def test_no_lines_are_no_error(tools: Tools, workspace: Path) -> None:
    path = workspace / "f.txt"
    path.write_text(LINES)
    for limit in (0, -1, -(10**12)):
        result = await tools.read(str(path), 7, limit)
        assert text(result) == ""
        assert result == shape(ReadResult, file_data=result.file_data, no_lines_requested=True)


async def test_bounds_are_taken_as_they_come(tools: Tools, workspace: Path) -> None:
    path = workspace / "f.txt"
    path.write_text("one\ntwo\n")
    assert text(await tools.read(str(path), -5, 1)) == "one"
    assert text(await tools.read(str(path), 1, 2**62)) == "two"
    assert text(await tools.read(str(path), 0, 2**70)) == "one\ntwo"
    for offset, said in ((2, 2), (2**62, 2**62), (2**70, 2**62)):  # which is as far as it counts
        expected = f"File '{path}': Line offset {said} exceeds file length (2 lines)"
        assert (await tools.read(str(path), offset, 1)).error == expected


async def test_an_empty_file_is_said_to_be_one(tools: Tools, workspace: Path) -> None:
    for name in ("empty.txt", "empty.png", "empty"):
        (workspace / name).touch()
        for offset, limit in ((0, 2000), (5, 1), (0, 0)):
            result = await tools.read(f"{workspace}/{name}", offset, limit)
            assert text(result) == "System reminder: File exists but has empty contents"
            assert result == shape(ReadResult, file_data=result.file_data)


async def test_what_cannot_be_read(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "d").mkdir()
    (workspace / "file").write_text("x")
    for path, code in (
        (f"{workspace}/no", "file_not_found"),
        (f"{workspace}/no.png", "file_not_found"),
        (f"{workspace}/no/deeper", "file_not_found"),
        (f"{workspace}/d", "not_a_file"),
        (str(workspace), "not_a_file"),
        (f"{outside}/secret.txt", "permission_denied"),
        (f"{workspace}/../outside/secret.txt", "permission_denied"),
        ("/etc/passwd", "permission_denied"),
    ):
        assert await tools.read(path) == ReadResult(error=f"File '{path}': {code}")
    assert (await tools.read(f"{workspace}/file/below")).file_data is None


async def test_binary_files_are_whole_or_refused(tools: Tools, workspace: Path) -> None:
    """By name or by their first bytes: the stock read has no limit for the second kind."""
    for name, first in (("image.png", b""), ("sniffed", b"\xff")):
        path = workspace / name
        path.write_bytes(first + bytes(LIMIT - len(first)))
        result = await tools.read(str(path))
        assert result.file_data["encoding"] == "base64"
        assert base64.b64decode(result.file_data["content"]) == path.read_bytes()
        path.write_bytes(first + bytes(LIMIT + 1 - len(first)))
        expected = f"File '{path}': Binary file exceeds maximum preview size of 512000 bytes"
        assert await tools.read(str(path)) == ReadResult(error=expected)


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80" * 50], ids=bytes.hex
)
async def test_invalid_utf8_late_in_a_text_file_is_replaced(
    tools: Tools, workspace: Path, bad: bytes
) -> None:
    """The stock read shows its traceback instead."""
    path = workspace / "f.txt"
    path.write_bytes(b"good line\n" * 1000 + b"before " + bad + b" after\nlast\n")
    result = await tools.read(str(path), 999, 3)
    first, second, third = (text(result) or "").split("\n")
    assert (first, third) == ("good line", "last")
    assert second.startswith("before \ufffd") and second.endswith("\ufffd after")
    assert result == shape(
        ReadResult, file_data=result.file_data, total_lines=1002, start_line=1000, end_line=1002
    )


async def test_text_cut_in_the_middle_of_a_character(tools: Tools, workspace: Path) -> None:
    (workspace / "f.txt").write_bytes(b"one\ntw\xc3")
    assert text(await tools.read(f"{workspace}/f.txt")) == "one\ntw\ufffd"


async def test_ten_mebibytes(tools: Tools, workspace: Path) -> None:
    path = workspace / "f.txt"
    path.write_bytes(b"".join(b"%015d\n" % number for number in range(655_360)))
    result = await tools.read(str(path), 655_358, 100)
    assert text(result) == "000000000655358\n000000000655359"
    assert result == shape(
        ReadResult, file_data=result.file_data, total_lines=655_360, start_line=655_359, end_line=655_360
    )
    first = await tools.read(str(path), 0, 10**6)
    assert len((text(first) or "").encode()) <= LIMIT
    assert "[Output was truncated due to size limits." in (text(first) or "")


async def test_a_line_of_ten_mebibytes(tools: Tools, workspace: Path) -> None:
    path = workspace / "f.txt"
    path.write_bytes(b"x" * (10 << 20) + b"\nsecond\n")
    first = text(await tools.read(str(path))) or ""
    assert first.startswith("x" * 500_000 + "x") and first.endswith("inspect the rest of the file.]")
    assert text(await tools.read(str(path), 1, 1)) == "second"
