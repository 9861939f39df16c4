"""sandboxed_exec: results, exit codes, streams, limits, waiting."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from nono_py import AccessMode, CapabilitySet, sandboxed_exec

from support import GENEROUS, PYTHON, caps_for, host, needs_root, python, shell, system_caps


class TestResult:
    def test_streams_are_separate_and_complete(self) -> None:
        result = shell(system_caps(), "printf out; printf err >&2")
        assert (result.stdout, result.stderr, result.exit_code) == (b"out", b"err", 0)
        assert repr(result) == "ExecResult(exit_code=0, stdout_len=3, stderr_len=3)"
        assert not result.timed_out
        assert not result.truncated
        assert (result.signal, result.dropped_bytes, result.denials) == (None, 0, [])

    def test_output_is_not_copied_per_access(self) -> None:
        result = shell(system_caps(), "echo x; echo y >&2")
        assert result.stdout is result.stdout
        assert result.stderr is result.stderr

    def test_large_output_on_both(self) -> None:
        result = python(
            system_caps(),
            "import os\nfor i in range(64): os.write(1, b'o' * 65536); os.write(2, b'e' * 65536)",
        )
        assert result.stdout == b"o" * (64 * 65536)
        assert result.stderr == b"e" * (64 * 65536)

    @pytest.mark.parametrize("code", [0, 1, 124, 126, 127, 255])
    def test_own_exit_status(self, code: int) -> None:
        result = shell(system_caps(), f"exit {code}")
        assert (result.exit_code, result.signal, result.timed_out, result.stderr) == (code, None, False, b"")

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT, signal.SIGSEGV])
    def test_killed_by_a_signal(self, number: int) -> None:
        result = shell(system_caps(), f"kill -{int(number)} $$; exit 3")
        assert (result.exit_code, result.signal) == (-number, number)

    def test_program_that_may_not_be_executed(self, work: Path) -> None:
        (work / "tool").write_text("#!/bin/sh\n")
        (work / "tool").chmod(0o755)
        result = sandboxed_exec(system_caps(), [str(work / "tool")])
        assert result.exit_code == 127
        assert result.stderr == b"nono: exec failed: Permission denied (os error 13)\n"
        assert result.denials == [
            {
                "path": str(work / "tool"),
                "access": "Read",
                "operation": "execute",
                "reason": "path_not_granted",
            }
        ]

    def test_write_grant_does_not_execute(self, work: Path) -> None:
        (work / "tool").write_text("#!/bin/sh\n")
        (work / "tool").chmod(0o755)
        caps = system_caps()
        caps.allow_path(work, AccessMode.WRITE)
        result = sandboxed_exec(caps, [str(work / "tool")])
        assert [denial["reason"] for denial in result.denials] == ["insufficient_access"]

    def test_broken_program_is_no_denial(self, work: Path) -> None:
        (work / "tool").write_bytes(b"\x7fELFnonsense")
        (work / "tool").chmod(0o755)
        result = sandboxed_exec(caps_for(work), [str(work / "tool")])
        assert (result.exit_code, result.denials) == (127, [])

    def test_usage_and_duration(self) -> None:
        result = python(system_caps(), "x = bytearray(300_000_000)\nfor i in range(10**6): pass")
        usage = result.rusage
        assert usage["user_seconds"] + usage["system_seconds"] > 0
        assert usage["max_rss_bytes"] is None or usage["max_rss_bytes"] >= 300_000_000
        assert result.duration > 0
        assert result.rusage is not result.rusage

    def test_small_command_does_not_count_this_process(self) -> None:
        peak = sandboxed_exec(system_caps(), ["/bin/true"]).rusage["max_rss_bytes"]
        assert peak is None or peak < 10_000_000

    def test_files_outside_grants(self, work: Path) -> None:
        result = shell(caps_for(work), "cat /etc/passwd")
        assert result.exit_code != 0
        assert b"Permission denied" in result.stderr
        assert shell(caps_for(work), f"echo x > {work}/f && cat {work}/f").stdout == b"x\n"

    def test_nothing_on_stderr_for_a_success(self) -> None:
        assert shell(system_caps(), "true").stderr == b""
        assert python(system_caps(), "pass").stderr == b""

    def test_names_that_are_not_utf8(self, work: Path) -> None:
        name = os.fsdecode(b"\xfe\xff")
        (work / name).mkdir()
        result = sandboxed_exec(caps_for(work / name), ["/bin/sh", "-c", "pwd; : > f", name], cwd=work / name)
        assert result.stdout == os.fsencode(work / name) + b"\n"
        assert (work / name / "f").exists()


class TestInput:
    def test_nothing_by_default(self) -> None:
        result = python(system_caps(), "import sys, os; print(len(sys.stdin.read()), os.fstat(0).st_rdev)")
        assert result.stdout == f"0 {os.stat('/dev/null').st_rdev}\n".encode()

    @pytest.mark.parametrize("data", [b"", b"abc", b"\0\xff" * 1_000_000])
    def test_bytes(self, data: bytes) -> None:
        assert sandboxed_exec(system_caps(), ["/bin/cat"], stdin=data).stdout == data

    def test_other_buffers(self) -> None:
        for data in (bytearray(b"abc"), memoryview(b"abc")):
            assert sandboxed_exec(system_caps(), ["/bin/cat"], stdin=data).stdout == b"abc"

    def test_bytes_that_nobody_reads(self) -> None:
        result = sandboxed_exec(system_caps(), ["/bin/true"], stdin=b"x" * 5_000_000, timeout_secs=GENEROUS)
        assert (result.exit_code, result.timed_out) == (0, False)

    def test_descriptor_and_file(self, work: Path) -> None:
        (work / "f").write_bytes(b"from a file")
        with open(work / "f", "rb") as file:
            assert sandboxed_exec(system_caps(), ["/bin/cat"], stdin=file).stdout == b"from a file"
            os.lseek(file.fileno(), 5, os.SEEK_SET)
            assert sandboxed_exec(system_caps(), ["/bin/cat"], stdin=file.fileno()).stdout == b"a file"
            assert file.read(0) == b""

    def test_stdin_of_the_caller_is_not_swallowed(self) -> None:
        done = host(
            "sandboxed_exec(system_caps(), ['/bin/cat']); print(sys.stdin.read())", stdin=None, input=b"mine"
        )
        assert done.stdout == b"mine\n"


class TestOutputBound:
    def test_output_is_bounded(self) -> None:
        result = shell(
            system_caps(), "yes | head -c 3000000; yes err | head -c 1000 >&2", max_output_bytes=100_000
        )
        assert len(result.stdout) <= 100_000
        assert len(result.stderr) == 1000
        assert result.truncated
        assert result.stdout.startswith(b"y\ny\n")
        assert result.stdout.endswith(b"y\ny\n")
        assert b"bytes dropped]" in result.stdout
        assert result.dropped_bytes >= 3_000_000 - 100_000

    def test_endless_output_is_bounded(self) -> None:
        result = shell(system_caps(), "yes", max_output_bytes=1000, timeout_secs=0.5)
        assert result.timed_out
        assert len(result.stdout) <= 1000
        assert result.truncated

    def test_nothing_kept(self) -> None:
        result = shell(system_caps(), "echo abc", max_output_bytes=0)
        assert (result.stdout, result.dropped_bytes) == (b"", 4)

    def test_exact_fit_is_whole(self) -> None:
        result = shell(system_caps(), "printf 12345678", max_output_bytes=8)
        assert (result.stdout, result.truncated) == (b"12345678", False)


class TestTimeout:
    def test_partial_output(self) -> None:
        result = shell(system_caps(), "echo early; sleep 1000", timeout_secs=1)
        assert (result.exit_code, result.timed_out, result.stdout) == (124, True, b"early\n")

    def test_zero_is_immediate(self) -> None:
        result = shell(system_caps(), "sleep 1000", timeout_secs=0)
        assert (result.exit_code, result.timed_out) == (124, True)

    def test_int_is_accepted(self) -> None:
        assert shell(system_caps(), "true", timeout_secs=60).exit_code == 0


class TestLimits:
    def test_cpu_time(self) -> None:
        result = shell(system_caps(), "while :; do :; done", max_cpu_seconds=1)
        assert (result.exit_code, result.timed_out) == (-signal.SIGKILL, False)

    def test_file_size(self, work: Path) -> None:
        result = shell(caps_for(work), f"head -c 100000 /dev/zero > {work}/f", max_file_size_bytes=1000)
        assert result.exit_code != 0
        result = shell(
            _with_zero(caps_for(work)), f"head -c 100000 /dev/zero > {work}/f", max_file_size_bytes=1000
        )
        assert result.exit_code != 0
        assert (work / "f").stat().st_size == 1000

    def test_no_writes(self, work: Path) -> None:
        result = shell(caps_for(work), f"echo x > {work}/f", max_file_size_bytes=0)
        assert result.exit_code != 0
        assert (work / "f").stat().st_size == 0

    def test_open_files(self) -> None:
        code = "import os\ntry:\n while True: print(os.dup(0))\nexcept OSError as e: print(e.errno)"
        lines = python(system_caps(), code, max_open_files=10).stdout.split()
        assert lines[-2:] == [b"9", b"24"]

    def test_fewer_open_files_than_the_setup_needs(self) -> None:
        # Three are enough for a static program; a dynamic one opens its libraries one by one.
        assert sandboxed_exec(system_caps(), ["/bin/true"], max_open_files=4).exit_code == 0

    def test_memory(self) -> None:
        code = "try:\n bytearray(1_000_000_000)\nexcept MemoryError: print('no')"
        assert python(system_caps(), code, max_memory_bytes=500_000_000).stdout == b"no\n"

    def test_processes(self) -> None:
        options = {"uid": 61234} if os.geteuid() == 0 else {}
        code = (
            "import os\ntry:\n"
            " for _ in range(3000): os.fork() or os._exit(0)\n"
            "except OSError as e: print(e.errno)"
        )
        result = python(system_caps(), code, max_processes=1, **options)
        assert result.stdout == b"11\n"

    @needs_root
    def test_process_limit_that_would_not_bind_is_refused(self) -> None:
        result = shell(system_caps(), "true", max_processes=2)
        assert result.exit_code == 126
        assert b"max_processes does not bind uid 0" in result.stderr

    def test_limits_cannot_be_raised(self) -> None:
        code = (
            "import resource as r\n"
            "try: r.setrlimit(r.RLIMIT_NOFILE, (100, 100))\n"
            "except ValueError: print('refused')\n"
            "print(r.getrlimit(r.RLIMIT_NOFILE))"
        )
        assert (
            sandboxed_exec(system_caps(), [PYTHON, "-c", code], max_open_files=50).stdout
            == b"refused\n(50, 50)\n"
        )


def _with_zero(caps: CapabilitySet) -> CapabilitySet:
    caps.allow_file("/dev/zero", AccessMode.READ)
    return caps


class TestWaiting:
    def test_gil_is_released(self) -> None:
        done = threading.Event()

        def work() -> None:
            shell(system_caps(), "sleep 1000", timeout_secs=1)
            done.set()

        worker = threading.Thread(target=work)
        worker.start()
        turns = 0
        while not done.is_set():
            time.sleep(0.01)
            turns += 1
        worker.join()
        assert turns > 10

    def test_more_than_32_threads(self) -> None:
        stop = threading.Event()
        idle = [threading.Thread(target=stop.wait) for _ in range(100)]
        for thread in idle:
            thread.start()
        try:
            assert shell(system_caps(), "echo hi").stdout == b"hi\n"
        finally:
            stop.set()
            for thread in idle:
                thread.join()

    def test_many_at_once(self) -> None:
        caps = system_caps()
        results: list[bytes] = []

        def work(number: int) -> None:
            for turn in range(5):
                results.append(shell(caps, f"echo {number}.{turn}").stdout)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == sorted(f"{n}.{turn}\n".encode() for n in range(16) for turn in range(5))

    def test_set_may_change_while_a_command_runs(self) -> None:
        caps = system_caps()
        worker = threading.Thread(target=lambda: shell(caps, "sleep 1"))
        worker.start()
        while worker.is_alive():
            caps.allow_tcp_connect_port(80)
            caps.allow_path("/usr", AccessMode.READ)
            caps.deduplicate()
            time.sleep(0.01)
        worker.join()

    def test_sigint_is_noticed_while_waiting(self) -> None:
        done = host(
            """
import os, signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
start = time.monotonic()
try:
    shell(system_caps(), "sleep 1000", timeout_secs=None)
except KeyboardInterrupt:
    print("interrupted", time.monotonic() - start < 30)
"""
        )
        assert done.stdout == b"interrupted True\n", done.stderr

    def test_handler_that_does_not_raise_does_not_disturb(self) -> None:
        done = host(
            """
import signal
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
result = shell(system_caps(), "sleep 1; echo done")
print(result.stdout, len(seen) > 3)
"""
        )
        assert done.stdout == b"b'done\\n' True\n", done.stderr

    def test_somebody_else_reaps(self) -> None:
        done = host(
            """
import os, signal, threading
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print(shell(system_caps(), "exit 7").exit_code)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
stop = threading.Event()
def reap():
    while not stop.is_set():
        try: os.waitpid(-1, os.WNOHANG)
        except ChildProcessError: pass
thread = threading.Thread(target=reap); thread.start()
print({shell(system_caps(), "exit 7").exit_code for _ in range(20)})
stop.set(); thread.join()
"""
        )
        assert done.stdout == b"7\n{7}\n", done.stderr


class TestExit:
    """A program may end while its daemon threads are still running commands."""

    @pytest.mark.parametrize("script", ["sleep 1000", "true"])
    def test_daemon_threads(self, script: str) -> None:
        done = host(
            """
import threading, time
caps = caps_for()
def work():
    while True: shell(caps, sys.argv[1], timeout_secs=None)
for _ in range(8): threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
""",
            script,
        )
        assert (done.returncode, done.stderr) == (0, b"")

    def test_exit_inside_a_handler(self) -> None:
        done = host(
            """
import signal
def leave(*_): raise SystemExit(9)
signal.signal(signal.SIGALRM, leave)
signal.setitimer(signal.ITIMER_REAL, 0.3)
shell(caps_for(), "sleep 1000", timeout_secs=None)
"""
        )
        assert (done.returncode, done.stderr) == (9, b"")


class TestChangedHost:
    """What was prepared for earlier commands must not serve a host that has changed since."""

    STATE = "id -u; id -G; ulimit -n; nice; umask"

    def test_limits_priority_and_umask(self) -> None:
        done = host(
            f"""
import os, resource
script = {self.STATE!r}
shell(caps_for(), script)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)); os.nice(3); os.umask(0o77)
print(shell(caps_for(), script).stdout.split()[-3:])
"""
        )
        assert done.stdout == b"[b'200', b'3', b'0077']\n", done.stderr

    @needs_root
    def test_dropped_uid(self) -> None:
        done = host(
            """
import os
print(shell(caps_for(), "id -u").stdout)
os.setgroups([]); os.setgid(61238); os.setuid(61238)
print(shell(caps_for(), "id -u; id -G").stdout)
"""
        )
        assert done.stdout == b"b'0\\n'\nb'61238\\n61238\\n'\n", done.stderr

    def test_fork(self) -> None:
        done = host(
            """
import os
shell(caps_for(), "true")
if os.fork() == 0:
    print(shell(caps_for(), "echo child").stdout, flush=True)
    os._exit(0)
os.wait()
print(shell(caps_for(), "echo parent").stdout)
"""
        )
        assert done.stdout == b"b'child\\n'\nb'parent\\n'\n", done.stderr

    def test_environment_of_another_command_is_not_seen(self) -> None:
        caps = caps_for()
        shell(caps, "true", env=[("SECRET", "sesame")])
        assert b"sesame" not in shell(caps, "export -p", env=[("A", "b")]).stdout


class TestHost:
    def test_host_without_standard_descriptors(self) -> None:
        with tempfile.NamedTemporaryFile() as report:
            host(
                """
import os
for number in (0, 1, 2): os.close(number)
result = shell(system_caps(), "echo out; echo err >&2; cat")
with open(sys.argv[1], "wb") as report: report.write(repr((result.stdout, result.stderr)).encode())
""",
                report.name,
            )
            assert report.read() == b"(b'out\\n', b'err\\n')"

    def test_inheritable_descriptors_are_closed(self, work: Path) -> None:
        with open(work / "secret", "w+b") as secret:
            os.set_inheritable(secret.fileno(), True)
            code = "import os\nfor n in range(3, 1000):\n try: os.fstat(n); print(n)\n except OSError: pass"
            assert python(system_caps(), code).stdout == b""

    def test_sigpipe_and_sigxfsz_have_default_dispositions(self) -> None:
        assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN, "CPython ignores it"
        result = shell(system_caps(), "yes | head -1")
        assert (result.stdout, result.stderr) == (b"y\n", b"")
        caps = system_caps()
        caps.allow_path("/proc", AccessMode.READ)
        status = shell(caps, "cat /proc/self/status").stdout.decode()
        masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
        assert int(masks["SigIgn"], 16) == 0
        assert int(masks["SigBlk"], 16) == 0

    def test_blocked_signals_of_the_caller_are_not_blocked_inside(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            assert shell(system_caps(), "kill -TERM $$; exit 5").exit_code == -signal.SIGTERM
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def test_no_descriptors_or_processes_are_left_behind(self) -> None:
        caps = system_caps()
        shell(caps, "true")
        before = set(os.listdir("/proc/self/fd"))
        for _ in range(5):
            shell(caps, "sleep 100 & echo")
            shell(caps, "sleep 100", timeout_secs=0)
            sandboxed_exec(caps, ["/bin/cat"], stdin=b"x")
        assert set(os.listdir("/proc/self/fd")) == before
        assert "Z" not in {line.split()[2] for line in _stats_of_children()}

    def test_caller_stays_free(self) -> None:
        shell(caps_for(), "true")
        assert Path("/etc/passwd").read_text()
        assert sys.executable


def _stats_of_children() -> list[str]:
    lines = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            line = Path(f"/proc/{entry}/stat").read_text()
        except OSError:
            continue
        if int(line.rpartition(")")[2].split()[1]) == os.getpid():
            lines.append(f"{entry} x {line.rpartition(')')[2].split()[0]}")
    return lines
