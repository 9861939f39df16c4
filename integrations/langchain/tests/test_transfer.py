"""Uploads and downloads: codes, roots, and attempts to be led out of them."""

import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deepagents.backends.protocol import FileDownloadResponse, FileUploadResponse

from langchain_nono import NonoSandbox

# Swaps the names of a directory and of a link as fast as the kernel can, until killed.
FLIP = """
import ctypes, sys
libc = ctypes.CDLL(None)
a, b = (path.encode() for path in sys.argv[1:])
print("ready", flush=True)
while libc.renameat2(-100, a, -100, b, 2) == 0:
    pass
"""


@contextmanager
def flipping(directory: Path, link: Path) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-c", FLIP, str(directory), str(link)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        try:
            yield
            assert process.poll() is None
        finally:
            process.kill()


def upload(sandbox: NonoSandbox, path: Path | str, content: bytes = b"x") -> str | None:
    return sandbox.upload_files([(str(path), content)])[0].error


def download(sandbox: NonoSandbox, path: Path | str) -> FileDownloadResponse:
    return sandbox.download_files([str(path)])[0]


def test_files_go_in_and_out(sandbox: NonoSandbox, workspace: Path) -> None:
    content = bytes(range(256)) * 1000
    path = f"{workspace}/new/parents/file.bin"
    assert sandbox.upload_files([(path, content)]) == [FileUploadResponse(path=path, error=None)]
    assert sandbox.download_files([path]) == [FileDownloadResponse(path=path, content=content)]
    assert upload(sandbox, path, b"short") is None
    assert download(sandbox, path).content == b"short"
    assert sandbox.execute("cat new/parents/file.bin").output == "short"


def test_one_bad_item_does_not_affect_others(sandbox: NonoSandbox, workspace: Path) -> None:
    results = sandbox.upload_files(
        [("relative", b""), (f"{workspace}/a", b"a"), ("/etc/x", b""), (f"{workspace}/b", b"b")]
    )
    assert [result.error for result in results] == ["invalid_path", None, "permission_denied", None]
    read = sandbox.download_files([f"{workspace}/b", "x", f"{workspace}/a"])
    assert [result.content for result in read] == [b"b", None, b"a"]


async def test_async_transfers(sandbox: NonoSandbox, workspace: Path) -> None:
    assert (await sandbox.aupload_files([(f"{workspace}/a", b"a")]))[0].error is None
    assert (await sandbox.adownload_files([f"{workspace}/a"]))[0].content == b"a"


@pytest.mark.parametrize("path", ["relative", "", "./a", "~/a"])
def test_relative_paths_are_invalid(sandbox: NonoSandbox, path: str) -> None:
    assert upload(sandbox, path) == "invalid_path"
    assert download(sandbox, path) == FileDownloadResponse(path=path, error="invalid_path")


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "\ud800"])
def test_impossible_names_are_invalid(sandbox: NonoSandbox, workspace: Path, name: str) -> None:
    assert upload(sandbox, f"{workspace}/{name}") == "invalid_path"
    assert download(sandbox, f"{workspace}/{name}").error == "invalid_path"


def test_download_errors(sandbox: NonoSandbox, workspace: Path, outside: Path) -> None:
    (workspace / "file").touch()
    assert download(sandbox, workspace / "missing").error == "file_not_found"
    assert download(sandbox, workspace / "missing/deeper").error == "file_not_found"
    assert download(sandbox, workspace / "file/below").error == "file_not_found"
    assert download(sandbox, workspace).error == "is_directory"
    (workspace / "directory").mkdir()
    assert download(sandbox, workspace / "directory").error == "is_directory"
    for path in (outside / "secret.txt", "/etc/passwd", f"{workspace}/../outside/secret.txt"):
        assert download(sandbox, path).error == "permission_denied"


def test_upload_errors(sandbox: NonoSandbox, workspace: Path, outside: Path) -> None:
    (workspace / "file").touch()
    (workspace / "directory").mkdir()
    assert upload(sandbox, workspace / "directory") == "is_directory"
    assert upload(sandbox, workspace) == "is_directory"
    assert upload(sandbox, workspace / "file/below") == "permission_denied"
    for path in (outside / "secret.txt", f"{workspace}/../outside/x", f"{workspace}x"):
        assert upload(sandbox, path) == "permission_denied"
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]


def test_modes_count_even_for_root(sandbox: NonoSandbox, workspace: Path) -> None:
    path = workspace / "file"
    path.write_text("kept")
    path.chmod(0o222)
    assert download(sandbox, path).error == "permission_denied"
    assert upload(sandbox, path, b"") is None
    path.write_text("kept")
    path.chmod(0o444)
    assert upload(sandbox, path, b"") == "permission_denied"
    assert download(sandbox, path).content == b"kept"


def test_an_existing_file_keeps_its_mode_and_its_other_names(sandbox: NonoSandbox, workspace: Path) -> None:
    path = workspace / "tool"
    path.write_text("old and longer")
    path.chmod(0o750)
    before = path.stat()
    assert upload(sandbox, path, b"new") is None
    after = path.stat()
    assert stat.S_IMODE(after.st_mode) == 0o750
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert path.read_text() == "new"
    (workspace / "other").hardlink_to(path)
    assert upload(sandbox, path, b"newer") is None
    assert path.samefile(workspace / "other")
    assert path.read_text() == "newer"
    assert sorted(os.listdir(workspace)) == ["other", "tool"]


def test_one_way_roots(workspace: Path, tmp_path: Path) -> None:
    source, sink = tmp_path / "source", tmp_path / "sink"
    for directory in (source, sink):
        directory.mkdir()
        (directory / "file").write_text("content")
    with NonoSandbox(
        working_dir=str(workspace), allow_read=[str(source)], allow_write=[str(sink)]
    ) as sandbox:
        assert download(sandbox, source / "file").content == b"content"
        assert upload(sandbox, source / "file") == "permission_denied"
        assert upload(sandbox, sink / "file", b"new") is None
        assert download(sandbox, sink / "file").error == "permission_denied"
        assert sandbox.edit(str(sink / "file"), "new", "newer").error is not None


def test_special_files_are_refused_without_waiting(sandbox: NonoSandbox, workspace: Path) -> None:
    fifo, name = workspace / "fifo", workspace / "socket"
    os.mkfifo(fifo)
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(workspace)  # the whole path may be too long for a socket address
        server.bind("socket")
        for path in (fifo, name):
            assert download(sandbox, path).error == "permission_denied"
            assert upload(sandbox, path) == "permission_denied"
            assert sandbox.edit(str(path), "a", "b").error is not None
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    assert upload(sandbox, fifo) == "permission_denied"
    os.close(reader)


def test_a_fifo_planted_by_a_command_does_not_block(sandbox: NonoSandbox, workspace: Path) -> None:
    assert sandbox.execute("mkfifo pipe").exit_code == 0
    done: list[FileDownloadResponse] = []
    thread = threading.Thread(target=lambda: done.append(download(sandbox, workspace / "pipe")), daemon=True)
    thread.start()
    thread.join(5)
    assert done and done[0].error == "permission_denied"


def test_downloads_are_bounded(sandbox: NonoSandbox, workspace: Path) -> None:
    (workspace / "large").touch()
    os.truncate(workspace / "large", 64 << 20)
    assert download(sandbox, workspace / "large").content == bytes(64 << 20)
    for size in ((64 << 20) + 1, 1 << 40):
        os.truncate(workspace / "large", size)
        assert download(sandbox, workspace / "large").error == "file is larger than 64 MiB"


def test_links_inside_are_followed_and_links_outside_are_not(
    sandbox: NonoSandbox, workspace: Path, outside: Path
) -> None:
    (workspace / "real").mkdir()
    (workspace / "real/file").write_text("inside")
    (workspace / "near").symlink_to("real")
    (workspace / "absolute").symlink_to(workspace / "real/file")
    (workspace / "far").symlink_to(outside)
    (workspace / "dangling").symlink_to(outside / "new.txt")
    (workspace / "loop").symlink_to("loop")
    assert download(sandbox, workspace / "near/file").content == b"inside"
    assert upload(sandbox, workspace / "absolute", b"changed") is None
    assert (workspace / "real/file").read_text() == "changed"
    assert (workspace / "absolute").is_symlink()
    for name in ("far/secret.txt", "far/new", "dangling", "loop"):
        assert upload(sandbox, workspace / name) == "permission_denied"
        assert download(sandbox, workspace / name).error == "permission_denied"
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]


def test_magic_links_lead_nowhere(sandbox: NonoSandbox, workspace: Path) -> None:
    (workspace / "root").symlink_to("/proc/self/root")
    (workspace / "fd").symlink_to("/proc/self/fd")
    assert download(sandbox, workspace / "root/etc/passwd").error == "permission_denied"
    assert upload(sandbox, workspace / "root/tmp/x") == "permission_denied"
    assert download(sandbox, workspace / "fd/0").error == "permission_denied"


@pytest.mark.parametrize("place", ["directory", "file"])
def test_upload_cannot_be_raced(sandbox: NonoSandbox, workspace: Path, outside: Path, place: str) -> None:
    """2,000 uploads while the directory, or the file, keeps turning into a link to one outside."""
    if place == "directory":
        (workspace / "d").mkdir()
        (workspace / "d/secret.txt").write_text("mine")
        (workspace / "link").symlink_to(outside)
        flipped, target = workspace / "d", workspace / "d/secret.txt"
    else:
        flipped = target = workspace / "secret.txt"
        flipped.write_text("mine")
        (workspace / "link").symlink_to(outside / "secret.txt")
    with flipping(flipped, workspace / "link"):
        errors = [upload(sandbox, target, b"overwritten") for _ in range(2000)]
        errors += [upload(sandbox, target.parent / f"new{i}/x", b"") for i in range(200)]
    assert (outside / "secret.txt").read_text() == "the secret"
    assert sorted(path.name for path in outside.iterdir()) == ["secret.txt"]
    assert None in errors  # the attempts that met the real one
    assert set(errors) <= {None, "permission_denied", "file_not_found", "invalid_path"}


@pytest.mark.parametrize("place", ["directory", "file"])
def test_download_cannot_be_raced(sandbox: NonoSandbox, workspace: Path, outside: Path, place: str) -> None:
    if place == "directory":
        (workspace / "d").mkdir()
        (workspace / "d/secret.txt").write_text("mine")
        (workspace / "link").symlink_to(outside)
        flipped, target = workspace / "d", workspace / "d/secret.txt"
    else:
        flipped = target = workspace / "secret.txt"
        flipped.write_text("mine")
        (workspace / "link").symlink_to(outside / "secret.txt")
    with flipping(flipped, workspace / "link"):
        results = [download(sandbox, target) for _ in range(2000)]
        results += [
            FileDownloadResponse(path="", error=sandbox.edit(str(target), "secret", "x").error)
            for _ in range(500)
        ]
    assert {result.content for result in results} == {b"mine", None}
    assert (outside / "secret.txt").read_text() == "the secret"


def test_a_replaced_root_is_noticed(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        workspace.rename(workspace.with_name("moved"))
        workspace.mkdir()
        assert upload(sandbox, workspace / "x") == "permission_denied"
        assert sandbox.ls(str(workspace)).error is not None
        assert list(workspace.iterdir()) == list(workspace.with_name("moved").iterdir()) == []


def test_transfers_run_at_the_same_time(sandbox: NonoSandbox, workspace: Path) -> None:
    def work(number: int) -> None:
        for turn in range(50):
            path = f"{workspace}/shared/{turn}/{number}"
            errors.append(upload(sandbox, path, str(number).encode()))
            if download(sandbox, path).content != str(number).encode():
                errors.append("mixed up")

    errors: list[str | None] = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(errors) == {None}
