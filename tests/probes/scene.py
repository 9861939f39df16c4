"""What stands around an attack: the room it happens in, what is aimed at, how a run of it went."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Run:
    """One run of an attack, in a sandbox or in none."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""
    timed_out: bool = False
    confined: bool = True


class Room:
    """A new directory for each run. `work` is always granted for writing; what else is, the table says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = self._directory("work")
        self.library = self._directory("library")
        self.outside = self._directory("outside")
        self.secret = secrets.token_hex(16)  # nobody has guessed it who shows it

    def _directory(self, name: str) -> Path:
        (self.path / name).mkdir()
        return self.path / name

    def secret_file(self, directory: Path | None = None) -> Path:
        file = (directory or self.outside) / "secret"
        file.write_text(self.secret)
        return file


@dataclass
class Scene:
    """What an attack gets to know, and what says afterwards whether it has succeeded."""

    succeeded: Callable[[Run], bool]
    targets: dict[str, Any] = field(default_factory=dict)
    stdin: int | None = None
    inherited: list[int] = field(default_factory=list)  # descriptors of the caller, open for anybody
    environment: dict[str, str] = field(default_factory=dict)  # of the caller
    allowed_port: int = 1  # with port rules: the one that is granted
    steps: int = 1  # commands in turn under the same grants; each gets its number as `step`
    patience: float = 30.0  # seconds for the attack without a sandbox


class CannotStage(Exception):
    """This host lacks what the attack is aimed at."""
