"""Stages: each prepares what an attack is aimed at and yields the scene, with its judge.

The table names them. A judge looks at what happened outside: bytes that a listener received, the state
of a file or a process, secret bytes that came back. Only where nothing but the answer of a call can be
seen does it go by the attack's exit status.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import os
import pty
import shutil
import socket
import stat
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scene import CannotStage, Room, Run, Scene

LOOPBACK = "127.0.0.1"
DEADLINE = 20.0  # seconds that only a hang reaches


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def by_exit_status(run: Run) -> bool:
    return run.exit_code == 0


def by_secret(room: Room) -> Callable[[Run], bool]:
    return lambda run: room.secret.encode() in run.stdout


@contextmanager
def exit_status(room: Room) -> Iterator[Scene]:
    yield Scene(by_exit_status, {"work": str(room.work)})


# --- files ---------------------------------------------------------------------------------------


def state_of(path: Path) -> object:
    """Everything about a file that an attack might change."""
    try:
        info = os.stat(path)
        attributes = {name: os.getxattr(path, name) for name in os.listxattr(path)}
        flags = array.array("i", [0])
        with open(path, "rb") as file, contextlib.suppress(OSError):
            fcntl.ioctl(file, 0x80086601, flags)  # FS_IOC_GETFLAGS
        content = path.read_bytes()
    except FileNotFoundError:
        return "gone"
    who = info.st_mode, info.st_uid, info.st_gid
    return who, info.st_mtime_ns, info.st_nlink, attributes, flags[0], content


def file_in(room: Room, directory: Path) -> Scene:
    file = room.secret_file(directory)
    file.chmod(0o4640)  # a change of owner clears the highest bit
    with contextlib.suppress(OSError):
        os.setxattr(file, "user.mark", b"as it was")
    before = state_of(file)
    targets = {"file": str(file), "secret": str(file), "work": str(room.work)}
    return Scene(lambda run: by_secret(room)(run) or state_of(file) != before, targets)


@contextmanager
def file_outside(room: Room) -> Iterator[Scene]:
    """A file that no grant covers: its content must stay secret, and all of it as it is."""
    yield file_in(room, room.outside)


@contextmanager
def file_outside_by_status(room: Room) -> Iterator[Scene]:
    with file_outside(room) as scene:
        scene.succeeded = by_exit_status
        yield scene


@contextmanager
def file_in_library(room: Room) -> Iterator[Scene]:
    """A file that may be read and must stay as it is: `library` is granted for reading."""
    scene = file_in(room, room.library)
    before = state_of(Path(scene.targets["file"]))
    scene.succeeded = lambda run: state_of(Path(scene.targets["file"])) != before
    yield scene


@contextmanager
def directory_outside(room: Room) -> Iterator[Scene]:
    """Names, size and link target in a directory that is not granted; or only the answer of a call."""
    secret = room.secret_file()
    (room.outside / room.secret).write_text("")
    (room.outside / "link").symlink_to(room.secret)
    size = 1000 + int(room.secret[:4], 16)
    os.truncate(secret, size)

    def succeeded(run: Run) -> bool:
        return by_secret(room)(run) or f"size {size}".encode() in run.stdout

    directory = str(room.outside)
    yield Scene(succeeded, {"directory": directory, "secret": str(secret), "link": f"{directory}/link"})


@contextmanager
def directory_outside_by_status(room: Room) -> Iterator[Scene]:
    with directory_outside(room) as scene:
        scene.succeeded = by_exit_status
        yield scene


@contextmanager
def shared_memory_directory(room: Room) -> Iterator[Scene]:
    """/dev/shm, where all processes of the machine can meet."""
    if not os.access("/dev/shm", os.W_OK):
        raise CannotStage("/dev/shm is not there")
    name = f"/dev/shm/nono-probe-{room.secret}"
    secret, meeting = Path(name), Path(f"{name}-meeting")
    secret.write_text(room.secret)
    try:
        targets = {"secret": str(secret), "meeting": str(meeting)}
        yield Scene(lambda run: by_secret(room)(run) or meeting.exists(), targets)
    finally:
        secret.unlink(missing_ok=True)
        meeting.unlink(missing_ok=True)


@contextmanager
def inner_grant(room: Room) -> Iterator[Scene]:
    """A directory that is granted, inside one that is granted too. Two commands."""
    inner = room.work / "inner"
    inner.mkdir()
    room.secret_file()
    targets = {"inner": str(inner), "outside": str(room.outside)}
    yield Scene(by_secret(room), targets, steps=2)


@contextmanager
def cgroup(room: Room) -> Iterator[Scene]:
    """A control group of its own, which would free a process of the limits of the one it is in."""
    for parent in [Path("/sys/fs/cgroup"), *sorted(Path("/sys/fs/cgroup").glob("*"))]:
        if (parent / "cgroup.procs").exists():
            break
    else:
        raise CannotStage("no control groups are mounted")
    made = parent / f"nono-probe-{room.secret}"
    try:
        yield Scene(lambda run: made.exists(), {"cgroup": str(made)})
    finally:
        with contextlib.suppress(OSError):
            made.rmdir()


# --- what a caller passes on ---------------------------------------------------------------------


@contextmanager
def inherited(room: Room) -> Iterator[Scene]:
    """Descriptors that the caller has open, and has not closed on exec."""
    file = os.open(room.secret_file(), os.O_RDONLY)
    directory = os.open(room.outside, os.O_RDONLY | os.O_DIRECTORY)
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 500) for fd in (file, directory)]
    try:
        yield Scene(by_secret(room), {"file": high[0], "directory": high[1]}, inherited=high)
    finally:
        for fd in (file, directory, *high):
            os.close(fd)


@contextmanager
def environment(room: Room) -> Iterator[Scene]:
    """A caller with a key in its environment, and with a start-up file for shells."""
    start = room.work / "start"
    start.write_text(f"echo {room.secret}\n")
    yield Scene(by_secret(room), environment={"API_KEY": room.secret, "BASH_ENV": str(start)})


@contextmanager
def setuid_program(room: Room) -> Iterator[Scene]:
    """A program that runs as somebody else: as root one of another user, else one of root."""
    program = shutil.which("su", path="/usr/bin:/bin") or ""
    if os.geteuid() == 0:
        program = str(room.work / "true")
        shutil.copy("/usr/bin/true", program)
        os.chown(program, 65534, 65534)
        os.chmod(program, 0o4755)
    elif not program or not os.stat(program).st_mode & stat.S_ISUID:
        raise CannotStage("no set-user-id program that says its version")
    yield Scene(by_exit_status, {"program": program})


# --- terminals -----------------------------------------------------------------------------------


def waiting_input(terminal: int) -> int:
    """Bytes that the next reader of a terminal would get."""
    count = array.array("i", [0])
    with contextlib.suppress(OSError):  # its session has ended
        fcntl.ioctl(terminal, termios.FIONREAD, count)
    return count[0]


@contextmanager
def terminal(room: Room) -> Iterator[Scene]:
    """A terminal as standard input. Typing into it is seen there, or the attack reads it back."""
    master, slave = pty.openpty()
    try:
        judge = by_secret(room)
        scene = Scene(lambda run: judge(run) or waiting_input(slave) > 0, {"typed": room.secret}, stdin=slave)
        yield scene
    finally:
        os.close(slave)
        os.close(master)


@contextmanager
def other_terminal(room: Room) -> Iterator[Scene]:
    """Somebody else's terminal: what is written to it appears on its screen."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)

    def appeared(run: Run) -> bool:
        with contextlib.suppress(BlockingIOError):
            return b"out" in os.read(master, 100)
        return False

    try:
        yield Scene(appeared, {"terminal": os.ttyname(slave)})
    finally:
        os.close(slave)
        os.close(master)


@contextmanager
def console(room: Room) -> Iterator[Scene]:
    """A virtual console as standard input."""
    try:
        fd = os.open("/dev/tty1", os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise CannotStage("a console that this user may open") from error
    try:
        yield Scene(by_exit_status, stdin=fd)
    finally:
        os.close(fd)


# --- sockets -------------------------------------------------------------------------------------


def arrived(server: socket.socket) -> bool:
    """Has anything reached it? Loopback and Unix sockets deliver at once."""
    server.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        if server.type == socket.SOCK_DGRAM:
            server.recv(100)
        else:
            server.accept()[0].close()
        return True
    return False


def internet(room: Room, kind: socket.SocketKind, protocol: int = 0) -> Iterator[Scene]:
    with socket.socket(socket.AF_INET, kind, protocol) as server, socket.socket() as other:
        server.bind((LOOPBACK, 0))
        other.bind((LOOPBACK, 0))
        other.listen()
        if kind == socket.SOCK_STREAM:
            server.listen()
        allowed = other.getsockname()[1]
        targets = {"port": server.getsockname()[1], "allowed_port": allowed}
        yield Scene(lambda run: arrived(server), targets, allowed_port=allowed)


@contextmanager
def tcp(room: Room) -> Iterator[Scene]:
    """A server on the loopback address, and next to it one whose port is granted with port rules."""
    yield from internet(room, socket.SOCK_STREAM)


@contextmanager
def udp(room: Room) -> Iterator[Scene]:
    yield from internet(room, socket.SOCK_DGRAM)


@contextmanager
def udplite(room: Room) -> Iterator[Scene]:
    try:
        yield from internet(room, socket.SOCK_DGRAM, 136)
    except OSError as error:
        raise CannotStage("UDP-Lite") from error


@contextmanager
def visitor(room: Room) -> Iterator[Scene]:
    """Somebody who waits for a port to be opened, and takes what is given there."""
    announced, over = room.work / "port", threading.Event()
    taken: list[bytes] = []

    def visit() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError, ValueError):
                address = (LOOPBACK, int(announced.read_text()))
                with socket.create_connection(address, timeout=DEADLINE) as connection:
                    taken.append(connection.recv(100))
                return
            over.wait(0.01)

    thread = threading.Thread(target=visit)
    thread.start()

    def succeeded(run: Run) -> bool:
        over.set()
        thread.join()
        return taken == [b"out"]

    try:
        yield Scene(succeeded, {"work": str(room.work)})
    finally:
        over.set()
        thread.join()


def unix_server(name: str, kind: socket.SocketKind) -> Iterator[Scene]:
    with socket.socket(socket.AF_UNIX, kind) as server:
        server.bind(name)
        if kind != socket.SOCK_DGRAM:
            server.listen()
        bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={name}"} if name[0] == "/" else {}
        targets = {"name": name, "directory": os.path.dirname(name)}
        yield Scene(lambda run: arrived(server), targets, environment=bus)


@contextmanager
def unix_stream(room: Room) -> Iterator[Scene]:
    """A server outside, with its socket where everything else may be written."""
    yield from unix_server(str(room.work / "socket"), socket.SOCK_STREAM)


@contextmanager
def unix_stream_outside(room: Room) -> Iterator[Scene]:
    """A server outside, with its socket where nothing is granted."""
    with unix_stream(room) as scene:
        os.rename(room.work / "socket", room.outside / "socket")
        scene.targets |= {"name": str(room.outside / "socket"), "work": str(room.work)}
        yield scene


@contextmanager
def unix_seqpacket(room: Room) -> Iterator[Scene]:
    yield from unix_server(str(room.work / "socket"), socket.SOCK_SEQPACKET)


@contextmanager
def unix_datagram(room: Room) -> Iterator[Scene]:
    yield from unix_server(str(room.work / "socket"), socket.SOCK_DGRAM)


@contextmanager
def abstract_stream(room: Room) -> Iterator[Scene]:
    yield from unix_server(f"\0nono-probe-{room.secret}", socket.SOCK_STREAM)


@contextmanager
def abstract_datagram(room: Room) -> Iterator[Scene]:
    yield from unix_server(f"\0nono-probe-{room.secret}", socket.SOCK_DGRAM)


def beside_granted(room: Room, scenes: Iterator[Scene], kind: socket.SocketKind) -> Iterator[Scene]:
    """Next to a server whose socket is granted: the kind of socket that it takes can be made then."""
    with socket.socket(socket.AF_UNIX, kind) as granted:
        granted.bind(str(room.library / "granted"))
        yield from scenes


@contextmanager
def unix_stream_beside_granted(room: Room) -> Iterator[Scene]:
    yield from beside_granted(room, unix_server(str(room.work / "socket"), socket.SOCK_STREAM), socket.SOCK_STREAM)


@contextmanager
def unix_datagram_beside_granted(room: Room) -> Iterator[Scene]:
    yield from beside_granted(room, unix_server(str(room.work / "socket"), socket.SOCK_DGRAM), socket.SOCK_DGRAM)


@contextmanager
def abstract_datagram_beside_granted(room: Room) -> Iterator[Scene]:
    name = f"\0nono-probe-{room.secret}"
    yield from beside_granted(room, unix_server(name, socket.SOCK_DGRAM), socket.SOCK_DGRAM)


@contextmanager
def unix_stream_beside_free_name(room: Room) -> Iterator[Scene]:
    """Next to a name that is granted and has no socket yet, where everything may be written."""
    with unix_stream(room) as scene:
        scene.targets["granted"] = str(room.work / "granted")
        yield scene


@contextmanager
def descriptor_server(room: Room) -> Iterator[Scene]:
    """Gives whoever connects a descriptor of a secret file."""
    name = str(room.work / "socket")
    with socket.socket(socket.AF_UNIX) as server, open(room.secret_file(), "rb") as secret:
        server.bind(name)
        server.listen()

        def serve() -> None:
            with contextlib.suppress(OSError), server.accept()[0] as client:
                socket.send_fds(client, [b"x"], [secret.fileno()])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Scene(by_secret(room), {"name": name})
        finally:
            server.shutdown(socket.SHUT_RDWR)  # wakes accept
            thread.join()


@contextmanager
def interfaces(room: Room) -> Iterator[Scene]:
    """The names of the network interfaces: the loopback one is always there."""
    yield Scene(lambda run: b"lo\0" in run.stdout)


# --- processes that stay -------------------------------------------------------------------------


def is_locked(path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def survivor(room: Room) -> Iterator[Scene]:
    """A process that the attack leaves behind holds a lock for as long as it lives."""
    lock, stop = room.work / "lock", room.work / "stop"
    try:
        yield Scene(lambda run: is_locked(lock), {"work": str(room.work)})
    finally:
        stop.touch()
        eventually(lambda: not is_locked(lock))


@contextmanager
def waiting_caller(room: Room) -> Iterator[Scene]:
    """A caller that waits for the end of the output, which a survivor puts off."""
    with survivor(room) as scene:
        scene.succeeded = lambda run: run.timed_out or is_locked(room.work / "lock")
        scene.patience = 1.5
        yield scene


@contextmanager
def core_files(room: Room) -> Iterator[Scene]:
    if Path("/proc/sys/kernel/core_pattern").read_text().startswith(("|", "/", "@")):
        raise CannotStage("core files next to the program")
    yield Scene(lambda run: any(room.work.glob("*core*")), {"work": str(room.work)})


@contextmanager
def text_reader(room: Room) -> Iterator[Scene]:
    """A caller that decodes output in pieces of 64 KiB, as it reads them, dies of this one."""

    def dies(run: Run) -> bool:
        if run.confined:  # the caller is the one under test: it is alive, and has all of it
            return b"\xff\n" not in run.stderr or "\N{EURO SIGN}".encode() not in run.stderr
        try:
            run.stderr[: 64 * 1024].decode()
        except UnicodeDecodeError:
            return True
        return False

    yield Scene(dies)
