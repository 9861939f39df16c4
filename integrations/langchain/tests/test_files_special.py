"""FIFOs, sockets and devices: refused by every tool, and none of them ever waits for the other end."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from releases import DELETES
from tools import Tools, in_time, paths

NAMES = ["fifo", "socket", "zero", "null", "random", "full"]


@pytest.fixture
def specials(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A FIFO, a socket that listens, and links to those devices that commands may use."""
    monkeypatch.chdir(workspace)  # the whole path may be too long for a socket's address
    os.mkfifo("fifo")
    for name in ("zero", "null", "random", "full"):
        os.symlink(f"/dev/{name}", name)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        server.listen()
        yield workspace


@pytest.mark.parametrize("name", NAMES)
def test_they_are_no_files(tools: Tools, specials: Path, name: str) -> None:
    path = f"{specials}/{name}"
    device = os.stat(path)
    assert in_time(lambda: tools.read(path)).error == f"File '{path}': not_a_file"
    assert in_time(lambda: tools.read(path, 5, 1)).error == f"File '{path}': not_a_file"
    assert in_time(lambda: tools.write(path, "x")).error
    assert in_time(lambda: tools.edit(path, "a", "b")).error
    assert in_time(lambda: tools.upload(path, b"x")) == "permission_denied"
    assert in_time(lambda: tools.download(path)) == "permission_denied"
    assert in_time(lambda: tools.ls(path)).error == f"Path '{path}': not_a_directory"
    assert not in_time(lambda: tools.grep("", path)).matches
    after = os.stat(path)
    assert stat.S_IFMT(after.st_mode) == stat.S_IFMT(device.st_mode) and after.st_ino == device.st_ino


def test_names_of_images_are_no_images(tools: Tools, workspace: Path) -> None:
    os.mkfifo(workspace / "fifo.png")
    (workspace / "zero.png").symlink_to("/dev/zero")
    for name in ("fifo.png", "zero.png"):
        path = f"{workspace}/{name}"
        assert in_time(lambda path=path: tools.read(path)).error == f"File '{path}': not_a_file"


def test_searches_pass_them_by(tools: Tools, specials: Path) -> None:
    (specials / "f").write_text("needle\n")
    assert paths(in_time(lambda: tools.grep("needle", str(specials)))) == [f"{specials}/f"]
    assert paths(in_time(lambda: tools.grep("needle", str(specials), "**/*"))) == [f"{specials}/f"]
    listed = in_time(lambda: tools.ls(str(specials))).entries
    assert [os.path.basename(entry["path"]) for entry in listed] == sorted([*NAMES, "f"])
    assert not any(entry["is_dir"] for entry in listed)


def test_a_fifo_that_somebody_writes_to(tools: Tools, workspace: Path) -> None:
    path = workspace / "fifo"
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR)
    os.write(end, b"needle\n")
    assert in_time(lambda: tools.read(str(path))).file_data is None
    assert not in_time(lambda: tools.grep("needle", str(workspace))).matches
    assert in_time(lambda: tools.write(str(path), "x")).error
    assert os.read(end, 100) == b"needle\n"
    os.close(end)


@pytest.mark.skipif(not DELETES, reason="expected: there is no delete before deepagents 0.7")
def test_names_of_them_can_go(tools: Tools, specials: Path) -> None:
    for name in NAMES:
        assert in_time(lambda name=name: tools.delete(f"{specials}/{name}")).error is None
    assert os.listdir(specials) == []
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="expected: only root can make a device")
def test_a_device_in_the_workspace(tools: Tools, workspace: Path) -> None:
    try:
        os.mknod(workspace / "zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("expected: this root cannot make a device")
    path = f"{workspace}/zero"
    calls: dict[str, Any] = {
        "read": lambda: tools.read(path),
        "write": lambda: tools.write(path, "x"),
        "edit": lambda: tools.edit(path, "a", "b"),
    }
    for name, call in calls.items():
        assert in_time(call).error, name
    assert in_time(lambda: tools.download(path)) == "permission_denied"
    assert not in_time(lambda: tools.grep("x", str(workspace))).matches
    assert stat.S_ISCHR(os.stat(path).st_mode)
