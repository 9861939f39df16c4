"""write, uploads and downloads: parents, modes, atomic replacement, and names that share a file."""

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deepagents.backends.protocol import WriteResult
from releases import WRITE_REPLACES
from tools import Tools

replaces = pytest.mark.skipif(
    not WRITE_REPLACES, reason="expected: before deepagents 0.7 write never replaces"
)

OLD, NEW = b"o" * 300_000, b"n" * 200_000


@contextmanager
def watching(path: Path) -> Iterator[set[bytes]]:
    """Reads the file again and again meanwhile; yields the contents that were seen."""
    seen: set[bytes] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


async def test_parents_are_made(tools: Tools, workspace: Path) -> None:
    path = f"{workspace}/a/b/c/f.txt"
    assert await tools.write(path, "häßlich\n") == WriteResult(path=path)
    assert Path(path).read_text() == "häßlich\n"
    assert (workspace / "a/b").stat().st_mode & 0o777 == 0o777 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


async def test_a_new_file_has_the_mode_that_any_program_would_give_it(tools: Tools, workspace: Path) -> None:
    await tools.write(f"{workspace}/f", "x")
    assert stat.S_IMODE((workspace / "f").stat().st_mode) == 0o666 & ~current_umask()


@pytest.mark.parametrize(
    "content", ["", "\n", "no newline", "a\r\nb\r", "\0", "\ufeffmark", "x" * (10 << 20)], ids=len
)
async def test_content_is_written_as_it_is(tools: Tools, workspace: Path, content: str) -> None:
    assert (await tools.write(f"{workspace}/f", content)).error is None
    assert (workspace / "f").read_bytes() == content.encode()


@pytest.mark.skipif(WRITE_REPLACES, reason="expected: write replaces since deepagents 0.7")
async def test_an_existing_file_is_left_alone(tools: Tools, workspace: Path) -> None:
    (workspace / "f").write_text("old")
    (workspace / "dangling").symlink_to("f")
    for name in ("f", "dangling"):
        result = await tools.write(f"{workspace}/{name}", "new")
        assert "already exists" in result.error
    assert (workspace / "f").read_text() == "old"


@replaces
async def test_replacing_keeps_the_mode_and_leaves_nothing_behind(tools: Tools, workspace: Path) -> None:
    path = workspace / "f"
    path.write_text("old and longer")
    for mode in (0o600, 0o755, 0o640):
        path.chmod(mode)
        assert await tools.write(str(path), f"new {mode}") == WriteResult(path=str(path))
        assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (f"new {mode}", mode)
    assert os.listdir(workspace) == ["f"]


@replaces
async def test_a_reader_sees_the_old_or_the_new_content(tools: Tools, workspace: Path) -> None:
    path = workspace / "f"
    path.write_bytes(OLD)
    with watching(path) as seen:
        for turn in range(100):
            await tools.write(str(path), (OLD if turn % 2 else NEW).decode())
    assert seen <= {OLD, NEW}
    assert path.read_bytes() == OLD
    assert os.listdir(workspace) == ["f"]


async def test_a_reader_sees_the_file_before_or_after_an_edit(tools: Tools, workspace: Path) -> None:
    path = workspace / "f"
    path.write_bytes(OLD)
    with watching(path) as seen:
        for turn in range(100):
            old, new = ("o", "n") if turn % 2 == 0 else ("n", "o")
            assert (await tools.edit(str(path), old, new, True)).occurrences == len(OLD)
    assert seen <= {OLD, OLD.replace(b"o", b"n")}
    assert os.listdir(workspace) == ["f"]


@replaces
async def test_who_has_opened_the_file_keeps_the_old_one(tools: Tools, workspace: Path) -> None:
    path = workspace / "f"
    path.write_bytes(OLD)
    with path.open("rb") as file:
        await tools.write(str(path), "new")
        assert file.read() == OLD


@replaces
async def test_names_of_one_file_stay_names_of_one_file(tools: Tools, workspace: Path) -> None:
    first, second = workspace / "first", workspace / "second"
    first.write_text("old")
    os.link(first, second)
    assert (await tools.write(str(second), "new")).error is None
    assert (await tools.edit(str(first), "new", "newer")).error is None
    assert first.read_text() == second.read_text() == "newer"
    assert first.samefile(second)
    assert await tools.upload(str(first), b"newest") is None
    assert second.read_text() == "newest"
    assert sorted(os.listdir(workspace)) == ["first", "second"]


@replaces
async def test_a_hard_link_to_a_file_outside_is_that_file(
    tools: Tools, workspace: Path, outside: Path
) -> None:
    """As for a command: a name inside is inside. What is written is no new file that only looks like it."""
    os.link(outside / "secret.txt", workspace / "f")
    assert (await tools.write(str(workspace / "f"), "changed")).error is None
    assert (outside / "secret.txt").read_text() == "changed"


async def test_what_cannot_be_written(tools: Tools, workspace: Path, outside: Path) -> None:
    (workspace / "d").mkdir()
    (workspace / "file").write_text("kept")
    for path in (
        str(workspace),
        f"{workspace}/d",
        f"{workspace}/d/",
        f"{workspace}/file/below",
        f"{workspace}/{'n' * 256}",
        "/etc/passwd",
        f"{outside}/new",
        f"{outside}/new/deeper",
        f"{workspace}/../outside/new",
    ):
        result = await tools.write(path, "x")
        assert result.error and result.path is None and "Traceback" not in result.error
    assert (workspace / "file").read_text() == "kept"
    assert sorted(path.name for path in workspace.rglob("*")) == ["d", "file"]
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]


async def test_lone_surrogates_cannot_be_written(tools: Tools, workspace: Path) -> None:
    result = await tools.write(f"{workspace}/f", "a\ud800b")
    assert result.error and not os.listdir(workspace)


async def test_transfers_of_ten_mebibytes_and_of_nothing(tools: Tools, workspace: Path) -> None:
    content = bytes(range(256)) * (10 << 12)
    files = [(f"{workspace}/new/large", content), (f"{workspace}/empty", b""), (f"{workspace}/new/x", b"x")]
    assert [response.error for response in await tools.upload_files(files)] == [None] * 3
    responses = await tools.download_files([path for path, _ in files])
    assert [(response.path, response.content) for response in responses] == files
    assert (workspace / "new/large").read_bytes() == content


async def test_transfers_answer_in_order_with_their_codes(
    tools: Tools, workspace: Path, outside: Path
) -> None:
    (workspace / "d").mkdir()
    ws = str(workspace)
    uploads = {
        f"{ws}/a": None,
        "relative": "invalid_path",
        f"{ws}/d": "is_directory",
        f"{outside}/x": "permission_denied",
        f"{ws}/nul\0": "invalid_path",
        f"{ws}/b": None,
    }
    responses = await tools.upload_files([(path, b"x") for path in uploads])
    assert [(each.path, each.error) for each in responses] == list(uploads.items())
    downloads = {
        f"{ws}/a": None,
        f"{ws}/no": "file_not_found",
        "./a": "invalid_path",
        f"{ws}/d": "is_directory",
        f"{outside}/secret.txt": "permission_denied",
        f"{ws}/b": None,
    }
    responses = await tools.download_files(list(downloads))
    assert [(each.path, each.error) for each in responses] == list(downloads.items())
    assert [each.content for each in responses] == [b"x", None, None, None, None, b"x"]
    assert await tools.upload_files([]) == [] == await tools.download_files([])
