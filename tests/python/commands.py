"""Grants, running code inside and outside a sandbox, listeners: what the tests share, and the host processes
that they start. Those are many, so this does without pytest, which starts slower than all that they do."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nono_py
from nono_py import AccessMode, CapabilitySet, ExecResult, sandboxed_exec

PYTHON = "/usr/bin/python3"
LOOPBACK = "127.0.0.1"
GENEROUS = 60.0  # seconds: a deadline that only a hang reaches


def can_use_namespaces() -> bool:
    try:
        nono_py.plan(CapabilitySet(), isolation="namespaces")
    except RuntimeError:
        return False
    return True


def can_supervise() -> bool:
    record = nono_py.plan(CapabilitySet(), isolation="process")
    (metadata,) = [b for b in record["boundaries"] if b["boundary"].startswith("file metadata")]
    return metadata["enforced_by"] == "supervisor"


def system_caps() -> CapabilitySet:
    """Read access to programs and libraries; the network is open."""
    caps = CapabilitySet()
    for path in ("/usr", "/bin", "/lib", "/lib64"):
        if os.path.isdir(path):
            caps.allow_path(path, AccessMode.READ)
    caps.allow_file("/etc/ld.so.cache", AccessMode.READ)
    return caps


def caps_for(*writable: str | Path) -> CapabilitySet:
    """The system, these directories to write to, and no network."""
    caps = system_caps()
    for path in writable:
        caps.allow_path(path, AccessMode.READ_WRITE)
    caps.block_network()
    return caps


def shell(caps: CapabilitySet, script: str, **options: Any) -> ExecResult:
    options.setdefault("timeout_secs", GENEROUS)
    options.setdefault("cwd", "/")
    options.setdefault("env", [("PATH", "/usr/bin:/bin"), ("LC_ALL", "C.UTF-8")])
    return sandboxed_exec(caps, ["/bin/bash", "-c", script], **options)


def python(caps: CapabilitySet, code: str, *arguments: object, **options: Any) -> ExecResult:
    options.setdefault("timeout_secs", GENEROUS)
    options.setdefault("cwd", "/")
    return sandboxed_exec(caps, [PYTHON, "-I", "-S", "-c", code, *map(str, arguments)], **options)


def outside(code: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """The same code without any sandbox: what an attack does where nothing stops it."""
    return subprocess.run(
        [PYTHON, "-I", "-S", "-c", code, *map(str, arguments)],
        capture_output=True,
        timeout=GENEROUS,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def host(code: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A process of its own that uses nono_py, for what must not happen to this one."""
    options.setdefault("stdin", subprocess.DEVNULL)
    preamble = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from commands import *\n"
    return subprocess.run(
        [sys.executable, "-c", preamble + code, *map(str, arguments)],
        capture_output=True,
        timeout=GENEROUS,
        check=False,
        **options,
    )


class Listener:
    """A TCP or UDP socket on the loopback address that tells what reached it."""

    def __init__(self, kind: socket.SocketKind) -> None:
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind((LOOPBACK, 0))
        if kind == socket.SOCK_STREAM:
            self.socket.listen()
        self.socket.setblocking(False)
        self.kind = kind
        self.port: int = self.socket.getsockname()[1]

    def received(self) -> bytes | None:
        """What the next visitor sent; None if there was none. Loopback delivers at once."""
        with contextlib.suppress(BlockingIOError):
            if self.kind == socket.SOCK_DGRAM:
                return self.socket.recv(100)
            connection, _ = self.socket.accept()
            with connection:
                connection.settimeout(GENEROUS)
                return connection.recv(100)
        return None


@contextlib.contextmanager
def listening(kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[Listener]:
    listener = Listener(kind)
    with listener.socket:
        yield listener
