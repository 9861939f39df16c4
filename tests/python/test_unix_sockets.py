"""Unix sockets: those of the command's own tree work, those outside are closed."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet

from support import can_use_namespaces, caps_for, outside, python, shell, system_caps


def is_supervised() -> bool:
    record = nono_py.plan(caps_for(), isolation="process")
    return any(e["boundary"] == "unix sockets outside" and e["enforced_by"] == "supervisor" for e in record["boundaries"])


pytestmark = pytest.mark.skipif(not is_supervised(), reason="expected: no supervisor decides about sockets here")
ISOLATIONS = ["process", *(["namespaces"] if can_use_namespaces() else [])]


@pytest.fixture
def short() -> Iterator[Path]:
    """Socket names are limited to 108 bytes."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(os.path.realpath(name))


def caps_of(network: str, *writable: Path) -> CapabilitySet:
    caps = system_caps()
    for path in writable:
        caps.allow_path(path, AccessMode.READ_WRITE)
    if network == "blocked":
        caps.block_network()
    elif network == "ports":
        caps.allow_tcp_connect_port(1)
    return caps


OWN = r"""
import os, socket, sys, threading
os.chdir(sys.argv[1])
def serve(server):
    for _ in range(2):
        peer, _ = server.accept()
        with peer:
            peer.sendall(peer.recv(100).upper())
for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    for name in ("relative", os.path.join(os.getcwd(), "absolute"), "./sub/../dotted", "link/through"):
        if name == "link/through" and not os.path.islink("link"):
            os.mkdir("directory"); os.symlink("directory", "link")
        os.makedirs("sub", exist_ok=True)
        server = socket.socket(socket.AF_UNIX, kind)
        server.bind(name)
        if sys.argv[2] == "process":
            assert server.getsockname() == name, server.getsockname()
        try:
            socket.socket(socket.AF_UNIX, kind).bind(name)
            print("bound twice")
        except OSError as error:
            assert error.strerror == "Address already in use", error
        server.listen(5)
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        for way in (name, os.path.abspath(name)):
            client = socket.socket(socket.AF_UNIX, kind)
            client.connect(way)
            client.sendall(b"text")
            assert client.recv(100) == b"TEXT"
            client.close()
        thread.join()
        server.close()
        client = socket.socket(socket.AF_UNIX, kind)
        assert client.connect_ex(name) == 111
        os.unlink(name)
        assert client.connect_ex(name) == 2
client = socket.socket(socket.AF_UNIX)
client.settimeout(5)
assert client.connect_ex("sub") == 111, client.connect_ex("sub")
print("all work")
"""


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("network", ["open", "blocked", "ports"])
def test_sockets_of_the_own_tree_work(short: Path, isolation: str, network: str) -> None:
    result = python(caps_of(network, short), OWN, short, isolation, isolation=isolation)
    assert result.stdout == b"all work\n", result.stderr


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_what_was_bound_before_is_closed(short: Path, isolation: str) -> None:
    """Also inside a writable grant: it is somebody else's, and so is what a link there leads to."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short / "s"))
        os.chmod(short / "s", 0o777)
        server.listen()
        server.setblocking(False)
        code = """
import os, socket, sys
os.chdir(sys.argv[1])
os.symlink("s", "link"); os.link("s", "hard"); os.rename("s", "moved"); os.symlink("moved", "s")
for name in ("s", "link", "hard", "moved", os.path.abspath("moved"), "/proc/self/cwd/moved"):
    try:
        socket.socket(socket.AF_UNIX).connect(name)
        print("reached", name)
    except OSError as error:
        print(error.strerror)
"""
        result = python(caps_for(short), code, short, isolation=isolation)
        assert b"reached" not in result.stdout and result.stdout.count(b"Permission denied") >= 4, result
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_number_that_is_used_again_is_another_socket(short: Path) -> None:
    """An inode number says nothing: whoever is bound next may get it."""
    code = """
import os, socket, sys
os.chdir(sys.argv[1])
for i in range(200):
    socket.socket(socket.AF_UNIX).bind("own"); os.unlink("own")
open("ready", "w").close()
while not os.path.exists("bound"): pass
print(socket.socket(socket.AF_UNIX).connect_ex("theirs"))
"""
    results: list[bytes] = []
    command = threading.Thread(target=lambda: results.append(python(caps_for(short), code, short, isolation="process").stdout))
    command.start()
    while not (short / "ready").exists():
        pass
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(short / "theirs"))
        server.listen()
        (short / "bound").touch()
        command.join()
    assert results == [b"13\n"]


def test_other_kinds_and_names_are_refused(short: Path) -> None:
    code = """
import socket, sys
def attempt(act):
    try:
        act(); print("done")
    except OSError as error:
        print(error.errno)
attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_RAW))
attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt(lambda: socket.socket(socket.AF_UNIX).connect("\\0abstract"))
attempt(lambda: socket.socket(socket.AF_UNIX).connect(sys.argv[1] + "/" + "n" * 60))
attempt(lambda: socket.socket(socket.AF_UNIX).bind("/usr/s"))
attempt(lambda: socket.socket(socket.AF_UNIX).bind(""))
"""
    assert python(caps_for(short), code, short, isolation="process").stdout.split() == [b"1", b"1", b"1", b"1", b"2", b"13", b"done"]


def test_a_supervised_connect_to_a_port_is_held_by_the_same_rules(tcp: object, other_tcp: object) -> None:
    code = """
import socket, sys
for port in sys.argv[1:]:
    s = socket.socket(); s.settimeout(10)
    print(s.connect_ex(("127.0.0.1", int(port))))
s = socket.socket(); s.setblocking(False); print(s.connect_ex(("127.0.0.1", int(sys.argv[1]))))
s = socket.socket(); print(s.connect_ex(("127.0.0.1", 1)))
try: socket.socket().bind(("127.0.0.1", 0)); print("bound")
except OSError as error: print(error.errno)
try: socket.socket().listen(); print("listens")
except OSError as error: print(error.errno)
"""
    caps = caps_of("open")
    caps.allow_tcp_connect_port(tcp.port)  # type: ignore[attr-defined]
    result = python(caps, code, tcp.port, other_tcp.port, isolation="process")  # type: ignore[attr-defined]
    assert result.stdout.split() in ([b"0", b"13", b"115", b"13", b"13", b"1"], [b"0", b"13", b"0", b"13", b"13", b"1"]), result


def test_a_full_queue_is_waited_for_and_holds_nobody_up(short: Path) -> None:
    code = """
import os, socket, sys, threading, time
os.chdir(sys.argv[1])
server = socket.socket(socket.AF_UNIX); server.bind("s"); server.listen(0)
connected = []
def connect():
    client = socket.socket(socket.AF_UNIX); client.connect("s"); connected.append(client)
threads = [threading.Thread(target=connect) for _ in range(30)]
[t.start() for t in threads]
while not connected: time.sleep(0.001)
client = socket.socket(socket.AF_UNIX); client.setblocking(False); print(client.connect_ex("s"))
peers = [server.accept()[0] for _ in range(30)]
[t.join() for t in threads]
print(len(connected))
"""
    assert python(caps_for(short), code, short, isolation="process").stdout == b"11\n30\n"


PYTHON_TOOLS = r"""
import multiprocessing, os, sys
def square(n): return n * n
def main():
    context = multiprocessing.get_context(sys.argv[1])
    with context.Manager() as manager:
        shared = manager.dict()
        shared["x"] = 7
        assert shared["x"] == 7
    from multiprocessing.connection import Client, Listener
    address = os.path.join(os.environ["TMPDIR"], "l")
    with Listener(address, "AF_UNIX") as listener:
        child = context.Process(target=client, args=(address,))
        child.start()
        with listener.accept() as peer:
            print(peer.recv())
        child.join()
def client(address):
    from multiprocessing.connection import Client
    with Client(address, "AF_UNIX") as peer:
        peer.send("hello")
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_python_multiprocessing(short: Path, method: str) -> None:
    (short / "main.py").write_text(PYTHON_TOOLS)
    env = [("TMPDIR", str(short)), ("PATH", "/usr/bin:/bin")]
    result = shell(caps_for(short), f"/usr/bin/python3 {short}/main.py {method}", cwd=str(short), env=env, isolation="process")
    assert result.stdout == b"hello\n", result


def test_an_agent_for_keys_inside(short: Path) -> None:
    if not os.path.exists("/usr/bin/ssh-agent"):
        pytest.skip("expected: no ssh-agent is installed")
    env = [("TMPDIR", str(short)), ("PATH", "/usr/bin:/bin"), ("HOME", str(short))]
    script = f"ssh-agent -a {short}/agent sh -c 'ssh-add -l'"
    caps = caps_for(short)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    result = shell(caps, script, cwd=str(short), env=env, isolation="process")
    assert b"no identities" in result.stdout + result.stderr, result


@pytest.mark.skipif(subprocess.run(["which", "tmux"], capture_output=True, check=False).returncode != 0, reason="expected: no tmux is installed")
def test_tmux_inside(short: Path) -> None:
    caps = caps_for(short)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.allow_file("/dev/ptmx", AccessMode.READ_WRITE)
    caps.allow_path("/dev/pts", AccessMode.READ_WRITE)
    caps.allow_file("/etc/passwd", AccessMode.READ)
    env = [("TMUX_TMPDIR", str(short)), ("PATH", "/usr/bin:/bin"), ("HOME", str(short)), ("TERM", "xterm"), ("LC_ALL", "C.UTF-8")]
    script = f"tmux -f /dev/null new-session -d 'echo inside > {short}/out; sleep 5' && for i in 1 2 3 4 5 6 7 8 9; do cat {short}/out 2>/dev/null && break; sleep 0.2; done; tmux kill-server"
    result = shell(caps, script, cwd=str(short), env=env, isolation="process")
    assert result.stdout == b"inside\n", result


def test_outside_the_same_code_reaches_it(short: Path) -> None:
    assert outside(OWN, short, "process").stdout == b"all work\n"


# --- grants ------------------------------------------------------------------------------------------

class Server:
    """A socket outside, that answers one client with what it got, in capitals."""

    def __init__(self, path: Path, kind: socket.SocketKind) -> None:
        self.socket = socket.socket(socket.AF_UNIX, kind)
        self.socket.bind(str(path))
        os.chmod(path, 0o777)
        self.received: list[bytes] = []
        if kind != socket.SOCK_DGRAM:
            self.socket.listen()
        self.kind = kind
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        try:
            while True:
                if self.kind == socket.SOCK_DGRAM:
                    self.received.append(self.socket.recv(100_000))
                else:
                    peer, _ = self.socket.accept()
                    with peer:
                        self.received.append(peer.recv(100))
                        peer.sendall(self.received[-1].upper())
        except OSError:
            return


@pytest.fixture
def servers(short: Path) -> Iterator[dict[str, Server]]:
    made = {}
    for name, kind in (("stream", socket.SOCK_STREAM), ("other", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM), ("closed", socket.SOCK_DGRAM)):
        made[name] = Server(short / name, kind)
    yield made
    for server in made.values():
        server.socket.close()


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("network", ["open", "blocked"])
def test_a_granted_socket_is_reached_and_its_neighbour_is_not(short: Path, servers: dict[str, Server], isolation: str, network: str) -> None:
    code = """
import socket, sys
for name in ("stream", "other"):
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(sys.argv[1] + "/" + name); s.sendall(b"text"); print(s.recv(9))
    except OSError as error:
        print(error.errno)
"""
    caps = caps_of(network)
    caps.allow_unix_socket(short / "stream")
    result = python(caps, code, short, isolation=isolation)
    assert result.stdout == b"b'TEXT'\n13\n" and servers["other"].received == [], result


DATAGRAMS = r"""
import ctypes, os, socket, sys
base = sys.argv[1]
def attempt(what, act):
    try:
        print(what, act())
    except OSError as error:
        print(what, error.errno)
for name in ("datagram", "closed"):
    to = base + "/" + name
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    attempt("sendto", lambda: s.sendto(b"sendto", to))
    attempt("sendmsg", lambda: s.sendmsg([b"send", b"msg"], [], 0, to))
    attempt("connect", lambda: s.connect(to))
    attempt("send", lambda: s.send(b"send"))
    attempt("sendmsg", lambda: s.sendmsg([b"connected"]))
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.send(b"pair"); print(b.recv(9))
read, write = os.pipe()
one, two = socket.socketpair()
socket.send_fds(one, [b"x"], [write])
_, [passed], _, _ = socket.recv_fds(two, 9, 1)
os.write(passed, b"through"); print(os.read(read, 9))
"""


def test_datagrams_go_where_a_grant_is(short: Path, servers: dict[str, Server]) -> None:
    caps = caps_for()
    caps.allow_unix_socket(short / "datagram")
    result = python(caps, DATAGRAMS, short, isolation="process")
    assert result.stdout.decode().split("\n") == [
        "sendto 6", "sendmsg 7", "connect None", "send 4", "sendmsg 9",
        "sendto 13", "sendmsg 13", "connect 13", "send 107", "sendmsg 107", "b'pair'", "b'through'", "",
    ], result  # fmt: skip
    assert sorted(servers["datagram"].received) == sorted([b"sendto", b"sendmsg", b"send", b"connected"])
    assert servers["closed"].received == []


def test_a_stream_takes_a_part_and_a_datagram_is_too_long(short: Path) -> None:
    code = """
import socket
a, b = socket.socketpair()
a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_000_000)
print(0 < a.sendmsg([b"x" * 3_000_000]) < 3_000_000)
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
try: a.sendmsg([b"x" * 3_000_000])
except OSError as error: print(error.errno)
"""
    caps = caps_for()
    caps.allow_unix_socket(short / "s")
    assert python(caps, code, isolation="process").stdout == b"True\n90\n"


def test_a_directory_and_a_socket_to_be_made(short: Path) -> None:
    (short / "run").mkdir()
    caps = caps_for()
    caps.allow_unix_socket(short / "run" / "mine", bind=True)
    code = """
import socket, sys
for name in ("mine", "yours"):
    try:
        socket.socket(socket.AF_UNIX).bind(f"{sys.argv[1]}/run/{name}"); print("bound")
    except OSError as error:
        print(error.errno)
"""
    assert python(caps, code, short, isolation="process").stdout == b"bound\n13\n"
    assert os.listdir(short / "run") == ["mine"]


def test_many_messages_at_once_under_a_grant(short: Path) -> None:
    """sendmmsg, as the C library's resolver uses it."""
    code = """
import ctypes, socket, sys
class Part(ctypes.Structure): _fields_ = [("at", ctypes.c_char_p), ("size", ctypes.c_size_t)]
class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_size", ctypes.c_uint), ("parts", ctypes.POINTER(Part)), ("count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_size", ctypes.c_size_t), ("flags", ctypes.c_long), ("sent", ctypes.c_uint)]
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
messages = (Message * 2)()
for i, text in enumerate((b"one", b"three")):
    messages[i].parts = ctypes.pointer(Part(text, len(text))); messages[i].count = 1
libc = ctypes.CDLL(None, use_errno=True)
done = 0
while done < 2:
    n = libc.sendmmsg(a.fileno(), ctypes.byref(messages, done * ctypes.sizeof(Message)), 2 - done, 0)
    assert n > 0, ctypes.get_errno()
    done += n
print(messages[0].sent, messages[1].sent, b.recv(9), b.recv(9))
"""
    caps = caps_for()
    caps.allow_unix_socket(short / "s")
    assert python(caps, code, isolation="process").stdout == b"3 5 b'one' b'three'\n"
