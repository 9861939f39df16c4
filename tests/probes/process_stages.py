"""Stages with other processes, and with what processes share: System V, POSIX queues, keys."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calls import call
from scene import CannotStage, Room, Run, Scene
from stages import by_exit_status, by_secret, state_of

PYTHON = "/usr/bin/python3"
IPC_CREAT, IPC_RMID = 0o1000, 0
GETVAL = 12


class Victim:
    """A process of the same user that has a secret in memory, environment, directory and descriptors."""

    def __init__(self, secret: Path, content: str) -> None:
        self.process = subprocess.Popen(
            [PYTHON, "-I", "-S", str(Path(__file__).with_name("victim.py")), str(secret)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"API_KEY": content},
            cwd=secret.parent,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        address, fd = map(int, self.process.stdout.readline().split())
        self.targets = {"address": address, "fd": fd}
        self.pid = self.process.pid
        self.before = self.state()

    def memory(self) -> str:
        """What it has in memory; nothing if it is dead. A signal that was sent has arrived by then."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write("?\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self.process.stdout.readline()

    def state(self) -> list[object]:
        """Memory, limits and scheduling: all that an attack might change."""
        memory = self.memory()
        if not memory:
            return ["dead"]
        return [
            memory,
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE),
            os.getpriority(os.PRIO_PROCESS, self.pid),
            os.sched_getscheduler(self.pid),
            os.sched_getaffinity(self.pid),
            call("ioprio_get", 1, self.pid),
        ]

    def end(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate()  # it ends when nobody asks any more
        self.process.kill()
        self.process.wait()


@contextmanager
def victim(room: Room) -> Iterator[Scene]:
    """Another process of the same user: nothing of it shall be read, and nothing of it changed."""
    secret = room.secret_file()
    process = Victim(secret, room.secret)
    file = state_of(secret)

    def succeeded(run: Run) -> bool:
        return by_secret(room)(run) or process.state() != process.before or state_of(secret) != file

    try:
        yield Scene(succeeded, {**process.targets, "pid": process.pid, "secret": str(secret)})
    finally:
        process.end()


@contextmanager
def victim_by_status(room: Room) -> Iterator[Scene]:
    """The same, for calls that leave no trace."""
    with victim(room) as scene:
        scene.succeeded = by_exit_status
        yield scene


@contextmanager
def system_v(room: Room) -> Iterator[Scene]:
    """Shared memory and a message with a secret, and a semaphore that stands at 0."""
    key = int(room.secret[:6], 16)
    shm = call("shmget", key, 4096, IPC_CREAT | 0o600)
    msg = call("msgget", key, IPC_CREAT | 0o600)
    sem = call("semget", key, 1, IPC_CREAT | 0o600)
    try:
        attach = ctypes.CDLL(None).shmat
        attach.restype = ctypes.c_void_p
        address = attach(shm, None, 0)
        ctypes.memmove(address, room.secret.encode(), len(room.secret))
        ctypes.CDLL(None).shmdt(ctypes.c_void_p(address))
        call("msgsnd", msg, struct.pack("=q", 1) + room.secret.encode(), len(room.secret), 0)
        new_key = key + (1 << 28)

        def succeeded(run: Run) -> bool:
            made = False
            with contextlib.suppress(OSError):
                call("shmctl", call("shmget", new_key, 0, 0), IPC_RMID, 0)
                made = True
            return made or by_secret(room)(run) or call("semctl", sem, 0, GETVAL, 0) != 0

        yield Scene(succeeded, {"shm": shm, "msg": msg, "sem": sem, "key": new_key})
    finally:
        call("shmctl", shm, IPC_RMID, 0)
        call("msgctl", msg, IPC_RMID, 0)
        call("semctl", sem, 0, IPC_RMID, 0)


@contextmanager
def message_queue(room: Room) -> Iterator[Scene]:
    """A POSIX message queue with a secret in it."""
    name = f"nono-probe-{room.secret}"
    attributes = struct.pack("=8q", 0, 1, 100, 0, 0, 0, 0, 0)
    try:
        queue = call("mq_open", name.encode(), os.O_RDWR | os.O_CREAT, 0o600, attributes)
    except OSError as error:
        raise CannotStage("POSIX message queues") from error
    try:
        call("mq_timedsend", queue, room.secret.encode(), len(room.secret), 0, 0)
        yield Scene(by_secret(room), {"queue": name})
    finally:
        os.close(queue)
        call("mq_unlink", name.encode())


@contextmanager
def key(room: Room) -> Iterator[Scene]:
    """A key in the user's keyring."""
    user_keyring, unlink, setperm = -4, 9, 5
    name = f"nono-probe-{room.secret[:8]}"
    try:
        made = call("add_key", b"user", name.encode(), room.secret.encode(), len(room.secret), user_keyring)
    except OSError as error:
        raise CannotStage("keyrings") from error
    try:
        with contextlib.suppress(OSError):
            call("keyctl", setperm, made, 0x3F3F0000)  # to the user all of it, in any session
        yield Scene(by_secret(room), {"name": name})
    finally:
        call("keyctl", unlink, made, user_keyring)


@contextmanager
def key_by_status(room: Room) -> Iterator[Scene]:
    with key(room) as scene:
        scene.succeeded = by_exit_status
        yield scene
