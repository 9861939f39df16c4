"""Ways out other than the network. Each is first shown to work where nothing stops it."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
import pty
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode

from support import (
    GENEROUS,
    PYTHON,
    can_use_namespaces,
    caps_for,
    host,
    needs_namespaces,
    needs_root,
    outside,
    python,
    shell,
    system_caps,
)

MODES = ["auto", "landlock", "seccomp"]


@pytest.fixture(params=["process", "namespaces"])
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param == "namespaces" and not can_use_namespaces():
        pytest.skip("expected: this host allows no namespaces")
    return str(request.param)


class TestFiles:
    def test_ungranted_files(self, work: Path, isolation: str) -> None:
        (work / "secret").write_text("secret")
        (work / "granted").mkdir()
        for script in (
            f"cat {work}/secret",
            f"echo x > {work}/secret",
            f"rm -f {work}/secret",
            f"mv {work}/secret {work}/granted/",
            f"ln {work}/secret {work}/granted/hard",
            f"truncate -s 0 {work}/secret",
            f"ln -s {work}/secret {work}/granted/soft && cat {work}/granted/soft",
            f"cd {work}/granted && cat ../secret",
        ):
            assert shell(caps_for(work / "granted"), script, isolation=isolation).exit_code != 0, script
            assert (work / "secret").read_text() == "secret"

    @pytest.mark.parametrize(
        "swap", ["rm -rf granted && ln -s ../private granted", "mv granted x && mkdir granted"]
    )
    def test_granted_path_swapped_for_symlink_is_refused(self, work: Path, isolation: str, swap: str) -> None:
        (work / "private").mkdir()
        (work / "private" / "secret").write_text("secret")
        (work / "outer" / "granted").mkdir(parents=True)
        caps = caps_for(work / "outer", work / "outer" / "granted")
        assert shell(caps, swap, cwd=str(work / "outer"), isolation=isolation).exit_code == 0
        for script in ("cat granted/secret", f"cat {work}/private/secret", "echo x > granted/secret"):
            result = shell(caps, script, cwd=str(work / "outer"), isolation=isolation)
            assert result.exit_code == 126
            assert result.stderr.startswith(b"nono: sandbox apply failed: Sandbox initialization failed: ")
        assert (work / "private" / "secret").read_text() == "secret"

    def test_swap_on_the_way_to_a_grant_is_refused(self, work: Path) -> None:
        (work / "private" / "in").mkdir(parents=True)
        (work / "outer" / "a" / "in").mkdir(parents=True)
        caps = caps_for(work / "outer", work / "outer" / "a" / "in")
        shell(caps, "mv a b && ln -s ../private a", cwd=str(work / "outer"))
        assert (work / "outer" / "a").is_symlink()
        assert shell(caps, "touch a/in/x", cwd=str(work / "outer")).exit_code == 126
        assert not (work / "private" / "in" / "x").exists()

    METADATA = """
import os, sys
path = sys.argv[1]
done = []
for name, act in {
    "chmod": lambda: os.chmod(path, 0o4777),
    "chown": lambda: os.chown(path, os.getuid(), os.getgid()),
    "utime": lambda: os.utime(path, (1, 1)),
    "setxattr": lambda: os.setxattr(path, "user.x", b"y"),
}.items():
    try: act(); done.append(name)
    except OSError: pass
print(",".join(done))
"""

    def test_metadata_of_ungranted_files_does_not_change(self, work: Path, isolation: str) -> None:
        (work / "ours").mkdir()
        (work / "f").write_text("")
        (work / "f").chmod(0o600)
        assert b"chmod" in outside(self.METADATA, work / "f").stdout
        (work / "f").chmod(0o600)
        result = python(caps_for(work / "ours"), self.METADATA, work / "f", isolation=isolation)
        assert result.stdout == b"\n"
        assert stat.S_IMODE((work / "f").stat().st_mode) == 0o600
        # What is granted may be changed.
        (work / "ours" / "f").write_text("")
        inside = python(caps_for(work / "ours"), self.METADATA, work / "ours" / "f", isolation=isolation)
        assert b"chmod" in inside.stdout

    def test_record_says_that_status_is_not_confined(self) -> None:
        record = nono_py.plan(caps_for(), isolation="process")
        entries = {e["boundary"]: e["enforced_by"] for e in record["boundaries"]}
        assert entries["file status outside grants"] == "nothing"

    def test_fchmod_of_what_is_open_for_reading_only(self, work: Path, isolation: str) -> None:
        (work / "f").write_text("x")
        (work / "f").chmod(0o644)
        caps = system_caps()
        caps.allow_path(work, AccessMode.READ)
        shell(caps, f"echo y >> {work}/f; rm {work}/f", isolation=isolation)
        assert (work / "f").read_text() == "x"

    def test_other_processes_memory_and_environment(self, isolation: str) -> None:
        bystander = subprocess.Popen(["/bin/sleep", "1000"], env={"API_KEY": "sesame"})
        try:
            caps = caps_for()
            caps.allow_path("/proc", AccessMode.READ)
            deadline = time.monotonic() + GENEROUS
            while b"sesame" not in Path(f"/proc/{bystander.pid}/environ").read_bytes():
                assert time.monotonic() < deadline  # its exec closes our pipe before it is complete
            for script in (f"cat /proc/{bystander.pid}/environ", f"cat /proc/{os.getpid()}/mem | head -c 1"):
                result = shell(caps, script, isolation=isolation)
                assert b"sesame" not in result.stdout
                assert result.stderr != b""
        finally:
            bystander.kill()
            bystander.wait()


class TestSockets:
    # The reply proves that the socket was reached.
    CONNECT = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1] if sys.argv[1][0] == "/" else "\\0" + sys.argv[1])
s.sendall(b"out")
"""

    @pytest.fixture
    def short(self) -> Iterator[Path]:
        """Socket names are limited to 108 bytes."""
        with tempfile.TemporaryDirectory() as name:
            yield Path(os.path.realpath(name))

    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("network", ["open", "blocked", "ports"])
    def test_unix_sockets_outside_are_unreachable(self, short: Path, mode: str, network: str) -> None:
        caps = system_caps()
        if network == "blocked":
            caps.block_network()
        elif network == "ports":
            caps.allow_tcp_connect_port(1)
        caps.allow_path(short, AccessMode.READ)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(short / "s"))
            os.chmod(short / "s", 0o777)
            server.listen()
            server.setblocking(False)
            assert outside(self.CONNECT, short / "s").returncode == 0
            server.accept()[0].close()
            assert python(caps, self.CONNECT, short / "s", enforcement_mode=mode).exit_code != 0
            with pytest.raises(BlockingIOError):
                server.accept()

    def test_abstract_unix_sockets_outside_are_unreachable(self, isolation: str) -> None:
        name = f"nono-test-{os.getpid()}"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("\0" + name)
            server.listen()
            server.setblocking(False)
            assert outside(self.CONNECT, name).returncode == 0
            server.accept()[0].close()
            assert python(system_caps(), self.CONNECT, name, isolation=isolation).exit_code != 0
            with pytest.raises(BlockingIOError):
                server.accept()

    def test_socketpairs_work_inside(self, isolation: str) -> None:
        code = "import socket; a, b = socket.socketpair(); a.send(b'hi'); print(b.recv(9))"
        assert python(caps_for(), code, isolation=isolation).stdout == b"b'hi'\n"


class TestTerminal:
    PUSH = """
import fcntl, os, sys, termios
for fd in map(int, sys.argv[1:]):
    try:
        for byte in b"id\\n": fcntl.ioctl(fd, termios.TIOCSTI, bytes([byte]))
        print("pushed", flush=True)
    except OSError as error: print(error, flush=True)
"""

    def run_in_terminal(self, code: str) -> bytes:
        """What a process prints whose standard streams are a terminal of its own."""
        pid, master = pty.fork()
        if pid == 0:
            path = str(Path(__file__).parent)
            os.execv(
                sys.executable, [sys.executable, "-c", f"import sys; sys.path.insert(0, {path!r})\n{code}"]
            )
        out = b""
        while True:
            try:
                piece = os.read(master, 1000)
            except OSError:
                break
            if not piece:
                break
            out += piece
        os.waitpid(pid, 0)
        os.close(master)
        return out

    def test_terminal_stdin_is_not_inherited(self) -> None:
        report = self.run_in_terminal(
            "from commands import *\n"
            "code = \"import os; print([os.isatty(n) for n in (0, 1, 2)], os.path.exists('/dev/tty'))\\n"
            "try: os.open('/dev/tty', os.O_RDWR); print('tty')\\nexcept OSError: print('none')\"\n"
            "caps = caps_for(); caps.allow_file('/dev/tty', AccessMode.READ_WRITE)\n"
            "print(python(caps, code).stdout)"
        )
        assert b"[False, False, False] True\\nnone" in report

    def test_command_that_reads_does_not_stop(self) -> None:
        report = self.run_in_terminal(
            "from commands import *\nr = shell(caps_for(), 'read x; echo read $?')\nprint(r.stdout)"
        )
        assert b"read 1" in report

    def test_no_typing_into_a_terminal_that_was_passed_on(self) -> None:
        master, slave = pty.openpty()
        try:
            result = python(caps_for(), self.PUSH, 0, stdin=slave)
            assert b"pushed" not in result.stdout
            waiting = struct.unpack("i", fcntl.ioctl(slave, termios.FIONREAD, b"\0\0\0\0"))[0]
            assert waiting == 0
        finally:
            os.close(master)
            os.close(slave)


class TestPrivileges:
    def status(self, isolation: str = "auto", **options: object) -> dict[str, str]:
        caps = caps_for()
        caps.allow_path("/proc", AccessMode.READ)
        # Two execs: whatever the first one leaves, the second must not take back.
        result = shell(caps, "cat /proc/self/status; true", isolation=isolation, **options)
        assert result.exit_code == 0, result.stderr
        return dict(line.split(":\t", 1) for line in result.stdout.decode().splitlines() if ":\t" in line)

    def test_no_new_privileges(self, isolation: str) -> None:
        assert self.status(isolation)["NoNewPrivs"] == "1"

    @needs_root
    def test_root_child_keeps_no_capabilities(self, isolation: str) -> None:
        # CHOWN, DAC_OVERRIDE, FOWNER, FSETID: about files, which Landlock decides.
        files_only = 0b11011
        status = self.status(isolation)
        for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(status[kind], 16) & ~files_only == 0, kind

    @needs_root
    @pytest.mark.parametrize(
        "code",
        [
            "import os, stat; os.mknod(sys.argv[1] + '/dev', 0o600 | stat.S_IFBLK, os.makedev(7, 0))",
            "import socket; socket.sethostname(socket.gethostname())",
            "import os; os.setuid(12345)",
            "import os; os.chroot('/')",
            "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
            "import ctypes; assert ctypes.CDLL(None).unshare(0x40000000) == 0",
        ],
    )
    def test_root_child_can_do_nothing_special(self, work: Path, code: str) -> None:
        code = "import sys; sys.path.append('/usr/lib/python3')\n" + code
        result = python(caps_for(work), code, work)
        assert result.exit_code != 0, code
        assert outside(code, work).returncode == 0, "works outside"

    @needs_root
    def test_uid_drop(self, isolation: str) -> None:
        status = self.status(isolation, uid=61236)
        assert status["Uid"].split() == ["61236"] * 4
        assert status["Gid"].split() == ["61236"] * 4
        assert status["Groups"].strip() == ""
        for kind in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb"):
            assert int(status[kind], 16) == 0, kind
        assert python(caps_for(), "import os; os.setuid(0)", uid=61236).exit_code != 0

    @needs_root
    def test_uid_with_gid(self) -> None:
        status = self.status(uid=61236, gid=61237)
        assert status["Gid"].split() == ["61237"] * 4

    @needs_root
    def test_gid_alone_is_refused(self) -> None:
        result = shell(caps_for(), "true", gid=61237)
        assert result.exit_code == 126
        assert b"gid without uid" in result.stderr

    @needs_root
    def test_uid_drop_is_not_undone_by_ambient_capabilities(self) -> None:
        if shutil.which("setpriv") is None:
            pytest.skip("expected: needs setpriv")
        code = (
            "from commands import *\n"
            "r = python(system_caps(), \"import os; os.setuid(0); print('root again')\", uid=61236)\n"
            "print(r.exit_code, r.stdout, r.stderr[-80:])"
        )
        ambient = "+setuid,+setgid,+kill"
        prefix = ["setpriv", "--reuid=61240", "--regid=61240", "--clear-groups",
                  f"--inh-caps={ambient}", f"--ambient-caps={ambient}"]  # fmt: skip
        # Where the capabilities are left to the child, the change of uid is no drop at all.
        attack = [
            PYTHON,
            "-c",
            "import os; os.setresuid(61236, 61236, 61236); os.setuid(0); print('root again')",
        ]
        assert subprocess.run([*prefix, *attack], capture_output=True, check=False).stdout == b"root again\n"
        # Where every user can read it: the checkout may lie below /root.
        with tempfile.TemporaryDirectory() as shared:
            os.chmod(shared, 0o755)
            shutil.copy(Path(__file__).with_name("commands.py"), shared)
            path = f"import sys; sys.path.insert(0, {shared!r})\n"
            done = subprocess.run(
                [*prefix, sys.executable, "-c", path + code], capture_output=True, cwd="/", check=False
            )
        if done.returncode == 127:
            pytest.skip("expected: this interpreter is out of reach for other users")
        assert b"root again" not in done.stdout
        assert b"PermissionError" in done.stdout, (done.stdout, done.stderr)

    @needs_root
    def test_uid_may_use_grants_that_it_could_not_reach(self, work: Path) -> None:
        (work / "private" / "data").mkdir(parents=True)
        (work / "private" / "data" / "f").write_text("x")
        (work / "private").chmod(0o700)
        os.chmod(work / "private" / "data" / "f", 0o644)
        result = shell(caps_for(work / "private" / "data"), "echo started", uid=61236)
        assert (result.exit_code, result.stdout) == (0, b"started\n")

    def test_uid_without_the_right_to_change_it(self) -> None:
        if os.geteuid() == 0:
            pytest.skip("expected: needs an ordinary user")
        result = shell(caps_for(), "true", uid=61236)
        assert result.exit_code == 126
        assert b"failed to drop privileges: setgroups: Operation not permitted" in result.stderr

    @needs_root
    @pytest.mark.parametrize("isolation", ["process", "namespaces", "strict"])
    def test_uid_drop_leaves_the_caller_dumpable(self, isolation: str) -> None:
        if isolation != "process" and not can_use_namespaces():
            pytest.skip("expected: this host allows no namespaces")
        code = f"""
import ctypes
caps = caps_for()
caps.allow_path("/proc", AccessMode.READ)  # where there is a /proc of the command's own, it is made late
for _ in range(10):
    result = shell(caps, "true", uid=61236, cwd="/usr", isolation={isolation!r})
    print(result.exit_code, ctypes.CDLL(None).prctl(3))
"""
        done = host(code)
        assert done.stdout == b"0 1\n" * 10, done.stderr


class TestSystemCalls:
    FOREIGN = """
import ctypes, mmap, sys
code = bytes.fromhex("53" "89f8" "89f3" "4189d0" "89ca" "4489c1" "cd80" "5b" "c3")
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
function = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_uint] * 4)
int80 = function(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print(int80(359, 2, 2, 0))  # socket(AF_INET, SOCK_DGRAM, 0) by its i386 number
"""

    @pytest.mark.parametrize("mode", MODES)
    def test_foreign_system_calls(self, mode: str) -> None:
        if platform.machine() != "x86_64":
            pytest.skip("expected: x86-64 only")
        free = subprocess.run([PYTHON, "-c", self.FOREIGN], capture_output=True, check=False).stdout
        if int(free or -38) < 0:
            pytest.skip("expected: this kernel has no 32-bit calls")
        result = nono_py.sandboxed_exec(
            caps_for(), [PYTHON, "-c", self.FOREIGN], cwd="/", enforcement_mode=mode
        )
        assert int(result.stdout or -1) < 0

    CALL = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
result = libc.syscall(*[ctypes.c_long(int(a, 0)) for a in sys.argv[1:]])
print(ctypes.get_errno() if result < 0 else 0)
"""

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("io_uring_setup", (425, 8, 0)),
            ("userfaultfd", (323 if platform.machine() == "x86_64" else 282, 0)),
            ("bpf", (321 if platform.machine() == "x86_64" else 280, 0, 0, 0)),
            ("perf_event_open", (298 if platform.machine() == "x86_64" else 241, 0, 0, -1, -1, 0)),
            ("add_key", (248 if platform.machine() == "x86_64" else 217, 0, 0, 0, 0, -3)),
            ("pidfd_getfd", (438, 0, 0, 0)),
        ],
    )
    def test_calls_that_no_command_needs(self, name: str, arguments: tuple[int, ...]) -> None:
        command = [PYTHON, "-c", self.CALL, *map(str, arguments)]
        free = subprocess.run(command, capture_output=True, check=False).stdout
        result = nono_py.sandboxed_exec(caps_for(), command, cwd="/")
        assert int(result.stdout) in (errno.EPERM, errno.ENOSYS), (name, result)
        if int(free) in (errno.EPERM, errno.ENOSYS):
            pytest.skip("expected: this kernel or user cannot do it at all")

    def test_call_that_nobody_knows(self) -> None:
        result = nono_py.sandboxed_exec(caps_for(), [PYTHON, "-c", self.CALL, "9999"], cwd="/")
        assert int(result.stdout) == errno.ENOSYS
