"""Grants of Unix sockets: the surface."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nono_py
import pytest
from nono_py import CapabilitySet, SandboxState, UnixSocketCapability


@pytest.fixture
def run() -> Iterator[Path]:
    """A directory with a path short enough for a socket, and a link to it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        path = Path(directory).resolve()
        (path / "real").mkdir()
        (path / "link").symlink_to("real")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind(str(path / "real" / "s"))
        yield path


def granted(caps: CapabilitySet) -> list[tuple[str, str, str, str]]:
    return [(c.original, c.resolved, c.scope, c.mode) for c in caps.unix_sockets]


def test_defaults_and_every_scope(run: Path) -> None:
    caps = CapabilitySet()
    assert caps.unix_sockets == []
    caps.allow_unix_socket(run / "link" / "s")
    caps.allow_unix_socket(path=str(run / "link"), bind=True, scope="dir_children")
    caps.allow_unix_socket(run, scope="dir_subtree")
    caps.allow_unix_socket(run / "real" / "later", scope="file", bind=False)
    assert granted(caps) == [
        (f"{run}/link/s", f"{run}/real/s", "file", "connect"),
        (f"{run}/link", f"{run}/real", "dir_children", "connect+bind"),
        (str(run), str(run), "dir_subtree", "connect"),
        (f"{run}/real/later", f"{run}/real/later", "file", "connect"),
    ]
    first, second, *_ = caps.unix_sockets
    assert isinstance(first, UnixSocketCapability)
    assert str(first) == f"{run}/real/s [connect] (file)"
    assert repr(second) == f"UnixSocketCapability(path='{run}/real', scope=dir_children, mode=connect+bind)"


def test_twice_is_once_and_bind_wins(run: Path) -> None:
    caps = CapabilitySet()
    caps.allow_unix_socket(run / "link" / "s")
    caps.allow_unix_socket(run / "real" / "s", bind=True)
    caps.allow_unix_socket(run / "real" / "s")
    assert granted(caps) == [(f"{run}/link/s", f"{run}/real/s", "file", "connect+bind")]


def test_summary(run: Path) -> None:
    caps = CapabilitySet()
    caps.allow_unix_socket(run / "real" / "s", bind=True)
    caps.allow_unix_socket(run, scope="dir_subtree")
    assert caps.summary() == (
        "(no capabilities granted)\n"
        f"Unix sockets:\n  {run}/real/s [connect+bind] (file)\n  {run} [connect] (dir-subtree)\n"
        "Network:\n  outbound: allowed"
    )


@pytest.mark.parametrize(
    ("path", "options", "error", "message"),
    [
        ("/nonexistent/s", {}, FileNotFoundError, "Path does not exist: /nonexistent"),
        ("/nonexistent", {"scope": "dir_children"}, FileNotFoundError, "Path does not exist: /nonexistent"),
        ("", {}, FileNotFoundError, "Path does not exist"),
        ("/dev/null", {}, ValueError, "Expected a Unix socket but got a device: /dev/null"),
        ("/tmp", {"bind": True}, ValueError, "Expected a Unix socket but got a directory: /tmp"),
        ("/dev/null", {"scope": "dir_subtree"}, ValueError, "Expected a directory but got a file: /dev/null"),
        ("/", {"scope": "dir_subtree"}, ValueError, "cannot be granted for the whole file system"),
        ("@abstract", {}, ValueError, "Abstract Unix sockets cannot be granted: @abstract"),
        ("\0abstract", {}, ValueError, r"Abstract Unix sockets cannot be granted: \\x00abstract"),
        ("/tmp/a\0b", {}, OSError, "NUL"),
        ("/tmp", {"scope": "all"}, ValueError, "scope must be 'file', 'dir_children' or 'dir_subtree', not 'all'"),
        ("/tmp", {"scope": None}, TypeError, "scope"),
        (7, {}, TypeError, "path"),
    ],
)
def test_refused(path: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    caps = CapabilitySet()
    with pytest.raises(error, match=message):
        caps.allow_unix_socket(path, **options)
    assert caps.unix_sockets == []


def test_options_have_names(run: Path) -> None:
    with pytest.raises(TypeError):
        CapabilitySet().allow_unix_socket(run / "real" / "s", True)  # type: ignore[misc]


def test_names_that_are_not_utf8(run: Path) -> None:
    name = os.path.join(run, os.fsdecode(b"\xff"))
    caps = CapabilitySet()
    caps.allow_unix_socket(name)
    assert caps.unix_sockets[0].resolved == name
    with pytest.raises(ValueError, match="not UTF-8"):
        SandboxState.from_caps(caps)


def test_a_plan_copies_them_into_its_record(run: Path) -> None:
    caps = CapabilitySet()
    caps.allow_unix_socket(run / "real" / "s", bind=True)
    try:
        record = nono_py.plan(caps)
    except RuntimeError as refusal:
        assert "takes a supervisor" in str(refusal)  # noqa: PT017
        return
    assert record["unix_sockets"] == [{"path": f"{run}/real/s", "scope": "file", "mode": "connect+bind"}]
    assert "unix_sockets" not in nono_py.plan(CapabilitySet())


def test_a_state_carries_them(run: Path) -> None:
    caps = CapabilitySet()
    caps.allow_unix_socket(run / "link" / "s", bind=True)
    caps.allow_unix_socket(run, scope="dir_subtree")
    text = SandboxState.from_caps(caps).to_json()
    assert json.loads(text)["unix_sockets"] == [
        {"original": f"{run}/link/s", "resolved": f"{run}/real/s", "scope": "file", "mode": "connect+bind"},
        {"original": str(run), "resolved": str(run), "scope": "dir_subtree", "mode": "connect"},
    ]
    assert granted(SandboxState.from_json(text).to_caps()) == granted(caps)


def test_a_state_of_before_there_were_scopes(run: Path) -> None:
    socket_entry = {"original": str(run), "resolved": "/", "is_directory": True, "mode": "connect"}
    state = SandboxState.from_json(json.dumps({"fs": [], "unix_sockets": [socket_entry], "net_blocked": True}))
    assert granted(state.to_caps()) == [(str(run), str(run), "dir_children", "connect")]
    socket_entry["mode"] = "listen"
    state = SandboxState.from_json(json.dumps({"fs": [], "unix_sockets": [socket_entry], "net_blocked": True}))
    with pytest.raises(ValueError, match=r"^Configuration parse error: invalid Unix socket mode"):
        state.to_caps()
