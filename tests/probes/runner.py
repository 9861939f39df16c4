"""Runs an attack: sets its stage, starts it in a sandbox or in none, and asks the judge.

A sandbox is anything with the method `enter` of the classes below: one with a rule removed can be
put in its place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import nono_py
from nono_py import AccessMode, CapabilitySet

import name_stages
import process_stages
import stages
from inside import BROKEN, STARTED
from scene import CannotStage, Room, Run, Scene
from table import Attack

PROBES = Path(__file__).resolve().parent
STAGES = (stages, process_stages, name_stages)
PYTHON = "/usr/bin/python3"
GENEROUS = 60.0  # seconds: a deadline that only a hang reaches
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
CALLER = ("HOME", "TMPDIR")  # what a caller has next to that

Command = list[str]
Enter = Callable[[Command], Run]


@dataclass
class Grants:
    read: list[str]
    write: list[str]
    network: str  # "blocked", "ports" or "open"
    port: int
    deny: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    protect: bool = False  # the CLI protects anyway, but for what follows
    unprotect: list[str] = field(default_factory=list)

    def add(self, grant: str, room: Room) -> None:
        """As the table writes it: its kind, and a path in the room or a pattern that holds anywhere."""
        kind, _, path = grant.partition(" ")
        where = path if path.startswith("**") else str(room.path / path)
        if kind == "protect":
            self.protect = True
        elif kind == "unprotect":
            self.unprotect.append(path)
        else:
            {"read": self.read, "write": self.write, "deny": self.deny, "socket": self.sockets}[kind].append(where)


@dataclass
class Outcome:
    """What became of an attack. `cannot`: there is nothing here to aim it at."""

    started: bool = False
    succeeded: bool = False
    broken: bool = False
    exit_code: int = 0
    errors: str = ""
    cannot: str = ""


class Sandbox(Protocol):
    def enter(self, grants: Grants, scene: Scene) -> Enter:
        """What runs commands, one after the other, under the same grants."""
        ...


def caller(scene: Scene) -> dict[str, str]:
    own = {name: os.environ[name] for name in CALLER if name in os.environ}
    return {**ENVIRONMENT, **own, **scene.environment}


def run_process(command: Command, scene: Scene, timeout: float) -> Run:
    try:
        done = subprocess.run(
            command,
            cwd=PROBES,
            env=caller(scene),
            stdin=subprocess.DEVNULL if scene.stdin is None else scene.stdin,
            pass_fds=scene.inherited,
            capture_output=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        return Run(-1, error.stdout or b"", error.stderr or b"", timed_out=True)
    return Run(done.returncode, done.stdout, done.stderr)


class NoSandbox:
    def enter(self, grants: Grants, scene: Scene) -> Enter:
        def start(command: Command) -> Run:
            run = run_process(command, scene, scene.patience)
            run.confined = False
            return run

        return start


class Sdk:
    def __init__(self, isolation: str) -> None:
        self.isolation = isolation

    def enter(self, grants: Grants, scene: Scene) -> Enter:
        caps = CapabilitySet()
        for path in ("/usr", "/bin", "/lib", "/lib64", *grants.read):
            if os.path.isdir(path):
                caps.allow_path(path, AccessMode.READ)
        caps.allow_file("/etc/ld.so.cache", AccessMode.READ)
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)
        for path in grants.write:
            caps.allow_path(path, AccessMode.READ_WRITE)
        for path in grants.deny:
            caps.deny_path(path)
        for path in grants.sockets:
            caps.allow_unix_socket(path)
        if grants.protect:
            caps.protect()
        if grants.network == "blocked":
            caps.block_network()
        elif grants.network == "ports":
            caps.allow_tcp_connect_port(grants.port)

        def start(command: Command) -> Run:
            with environment(scene.environment), inheritable(scene.inherited):
                result = nono_py.sandboxed_exec(
                    caps,
                    command,
                    cwd=PROBES,
                    timeout_secs=GENEROUS,
                    stdin=scene.stdin,
                    isolation=self.isolation,  # type: ignore[arg-type]
                )
            return Run(result.exit_code, result.stdout, result.stderr, result.timed_out)

        return start


class Cli:
    def __init__(self, isolation: str) -> None:
        self.isolation = isolation

    def enter(self, grants: Grants, scene: Scene) -> Enter:
        words = [cli(), "run", "--isolation", self.isolation, "--timeout", str(int(GENEROUS))]
        for path in grants.read:
            words += ["--read", path]
        for path in grants.write:
            words += ["--allow", path]
        for path in grants.deny:
            words += ["--deny", path]
        for path in grants.sockets:
            words += ["--allow-unix-socket", path]
        for name in grants.unprotect:
            words += ["--unprotect", name]
        if grants.network == "blocked":
            words += ["--block-net"]
        elif grants.network == "ports":
            words += ["--allow-connect", str(grants.port)]
        return lambda command: run_process([*words, "--", *command], scene, 2 * GENEROUS)


def cli() -> str:
    return os.environ.get("NONO_CLI") or str(Path(sys.executable).with_name("nono"))


def sandbox(entry: str, isolation: str) -> Sandbox:
    return {"sdk": Sdk, "cli": Cli}[entry](isolation)


@contextlib.contextmanager
def environment(more: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def inheritable(descriptors: list[int]) -> Iterator[None]:
    for fd in descriptors:
        os.set_inheritable(fd, True)
    yield


@contextlib.contextmanager
def new_room() -> Iterator[Room]:
    path = os.path.realpath(tempfile.mkdtemp(prefix="probe-"))
    try:
        yield Room(Path(path))
    finally:
        shutil.rmtree(path, ignore_errors=True)


def attack_with(attack: Attack, network: str, sandbox: Sandbox) -> Outcome:
    stage = next(getattr(place, attack.stage) for place in STAGES if hasattr(place, attack.stage))
    with new_room() as room:
        grants = Grants([str(PROBES)], [str(room.work)], network, 0)
        for grant in attack.grants:
            grants.add(grant, room)
        try:
            with stage(room) as scene:
                return perform(attack, grants, scene, sandbox)
        except CannotStage as error:
            return Outcome(cannot=str(error))


def perform(attack: Attack, grants: Grants, scene: Scene, sandbox: Sandbox) -> Outcome:
    grants.port = scene.allowed_port
    for path in grants.write:
        if not os.path.isdir(path):
            os.mkdir(path)
    start = sandbox.enter(grants, scene)
    outcome = Outcome()
    for step in range(1, scene.steps + 1):
        # The cheapest of all ways to start it: -m, or targets as JSON, would import half the library.
        targets = repr({**scene.targets, "step": step})
        run = start([PYTHON, "-S", "-B", "-c", f"import attacks.{attack.name}", targets])
        # What a first command has done may well keep the next one from being started.
        outcome.started = outcome.started or run.stdout.startswith(STARTED)
    outcome.exit_code = run.exit_code
    outcome.broken = run.exit_code == BROKEN or b"Traceback" in run.stderr
    outcome.errors = run.stderr[-600:].decode(errors="replace")
    outcome.succeeded = outcome.started and scene.succeeded(run)
    return outcome
