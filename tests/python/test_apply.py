"""The calling process under a sandbox. Each case runs in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import Listener, host, needs_root

VARIANTS = [
    "nono_py.apply(caps)",
    "nono_py.apply_landlock(caps)",
    "nono_py.apply_seccomp(caps)",
    "nono_py.apply_seccomp(caps, external_tcp=False)",
    "nono_py.apply_auto_with_abi(caps, nono_py.detect_abi())",
    "nono_py.apply_landlock_with_abi(caps, nono_py.detect_abi())",
    "nono_py.apply_seccomp_with_abi(caps=caps, abi=nono_py.detect_abi())",
]
# Imports what the attempts need, while it still can.
TRY = """
import errno, socket
"localhost".encode("idna")
def attempt(what):
    try: what(); return "done"
    except OSError as error: return errno.errorcode[error.errno]
"""


@pytest.mark.parametrize("call", VARIANTS)
def test_every_variant_confines_files_and_network(work: Path, tcp: Listener, call: str) -> None:
    code = f"""
{TRY}
caps = caps_for(sys.argv[1])
assert {call} is None
print(attempt(lambda: open("/etc/passwd").read()))
print(attempt(lambda: open(sys.argv[1] + "/f", "w").write("x")))
print(attempt(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])))))
print(attempt(lambda: socket.socket(type=socket.SOCK_DGRAM)))
"""
    done = host(code, work, tcp.port)
    assert done.stdout.split() == [b"EACCES", b"done", b"EPERM", b"EPERM"], done.stderr
    assert tcp.received() is None
    assert (work / "f").read_text() == "x"


# Threads in every state that a thread can be in, and what the kernel says about each of them. The files
# are opened before apply(), because nothing grants /proc.
THREADS = """
import ctypes, glob, os, signal, threading, time
libc = ctypes.CDLL(None, use_errno=True)
go, seen, kept = threading.Event(), [], []

def thread(wait):
    ready = threading.Event()
    def work():
        ready.set()
        results = wait()
        assert results is None, (wait, results)
        seen.append((attempt(lambda: open("/etc/passwd").read()), attempt(lambda: open(granted).read())))
    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    ready.wait()
    kept.append(worker)
    return worker

def wait_busy():
    while not go.is_set(): pass

def wait_asleep():
    begin = time.monotonic()
    time.sleep(0.7)
    if (took := time.monotonic() - begin) < 0.7: return took
    go.wait()

def wait_in_read():  # PEP 475 would hide an interruption
    ctypes.set_errno(77)
    size, number = libc.read(ends[0], ctypes.create_string_buffer(1), 1), ctypes.get_errno()
    if (size, number) != (1, 77): return size, number

def wait_in_lock():
    go.wait()

def wait_in_timed_lock():
    if not go.wait(60): return "timed out"

def wait_without_signals():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    go.wait()

WAITS = wait_in_read, wait_in_lock, wait_asleep, wait_busy, wait_in_timed_lock, wait_without_signals
ends = os.pipe()

def release():
    go.set()
    os.write(ends[1], b"x" * 1000)
    for worker in kept: worker.join()

def status_files():
    return [open(path) for path in glob.glob("/proc/self/task/*/status")]

def read_status(files, *names):
    found = []
    for file in files:
        file.seek(0)
        lines = dict(line.split(":", 1) for line in file.read().splitlines())
        found.append(tuple(lines[name].strip() for name in names))
    return found
"""


@pytest.mark.parametrize("count", [1, 3, 24])
def test_every_thread_is_bound(work: Path, count: int) -> None:
    (work / "f").touch()
    code = f"""
{TRY}{THREADS}
granted, count = sys.argv[1] + "/f", int(sys.argv[2])
for i in range(count): thread(WAITS[i % len(WAITS)] if i < 12 or WAITS[i % len(WAITS)] != wait_busy else wait_in_lock)
time.sleep(0.2)
files = status_files()
assert len(files) == count + 1
handlers = read_status(files, "SigIgn", "SigCgt")
nono_py.apply(caps_for(sys.argv[1]))
assert read_status(files, "NoNewPrivs", "Seccomp") == [("1", "2")] * (count + 1)
assert read_status(files, "SigIgn", "SigCgt") == handlers
release()
assert seen == [("EACCES", "done")] * count, seen
assert attempt(lambda: open("/etc/passwd")) == "EACCES"
print("ok")
"""
    done = host(code, work, count)
    assert done.stdout == b"ok\n", done.stderr


@pytest.mark.parametrize("call", VARIANTS)
def test_every_variant_binds_threads(work: Path, call: str) -> None:
    (work / "f").touch()
    code = f"""
{TRY}{THREADS}
granted = sys.argv[1] + "/f"
for wait in WAITS: thread(wait)
caps = caps_for(sys.argv[1])
assert {call} is None
release()
assert seen == [("EACCES", "done")] * len(WAITS), seen
print("ok")
"""
    done = host(code, work)
    assert done.stdout == b"ok\n", done.stderr


@needs_root
def test_capabilities_are_gone_on_every_thread() -> None:
    code = f"""
{TRY}{THREADS}
granted = "/usr/bin/env"
for wait in WAITS: thread(wait)
files = status_files()
nono_py.apply(caps_for())
print(set(read_status(files, "CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd")))
release()
"""
    done = host(code)
    kept = "000000000000001b"
    assert done.stdout.decode().strip() == str({(kept, kept, kept, "0" * 16, kept)}), done.stderr


def test_nothing_changes_when_a_thread_cannot_be_reached(work: Path) -> None:
    """No libc call can block the signal; the system call can."""
    (work / "f").touch()
    code = f"""
{TRY}{THREADS}
import platform
sigprocmask = 14 if platform.machine() == "x86_64" else 135
granted = sys.argv[1] + "/f"
def wait_unreachable():
    mask = ctypes.c_uint64(2**64 - 1)
    assert libc.syscall(sigprocmask, 2, ctypes.byref(mask), None, ctypes.c_long(8)) == 0
    blocked.set()
    go.wait()
    assert libc.syscall(sigprocmask, 2, ctypes.byref(ctypes.c_uint64(0)), None, ctypes.c_long(8)) == 0
blocked = threading.Event()
for wait in (*WAITS, wait_unreachable): thread(wait)
blocked.wait()
names = "NoNewPrivs", "Seccomp", "CapEff", "CapBnd", "SigIgn", "SigCgt"
before = read_status(status_files(), *names)
try: nono_py.apply(caps_for(sys.argv[1]))
except RuntimeError as error:
    assert error.diagnostic_code == "sandbox_denied_path"
    print(error)
assert read_status(status_files(), *names) == before
release()
assert seen == [("done", "done")] * len(kept), seen
go.clear()
thread(WAITS[1])
os.setresuid(-1, os.getuid(), -1)  # glibc's own use of the signal
nono_py.apply(caps_for(sys.argv[1]))
seen.clear()
release()
print(seen)
"""
    done = host(code, work)
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("Sandbox initialization failed: thread "), done.stderr
    assert lines[0].endswith("it blocks every signal, the C library's own included; nothing has changed")
    assert lines[1] == "[('EACCES', 'done')]", done.stderr


def test_nothing_changes_when_a_thread_has_a_filter_of_its_own(work: Path) -> None:
    (work / "f").touch()
    code = f"""
{TRY}{THREADS}
granted = sys.argv[1] + "/f"
def wait_with_filter():
    allow = (ctypes.c_uint32 * 2)(0x06, 0x7FFF0000)  # BPF_RET | BPF_K, SECCOMP_RET_ALLOW
    program = (ctypes.c_uint64 * 2)(1, ctypes.addressof(allow))
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
    filtered.set()
    go.wait()
filtered = threading.Event()
for wait in (*WAITS, wait_with_filter): thread(wait)
filtered.wait()
before = read_status(status_files(), "Seccomp")
try: nono_py.apply(caps_for(sys.argv[1]))
except RuntimeError as error: print(error)
assert read_status(status_files(), "Seccomp") == before
release()
assert seen == [("done", "done")] * len(kept), seen
"""
    done = host(code, work)
    assert done.stdout.endswith(b"has a filter of its own; no thread is restricted\n"), done.stderr


def test_the_last_layer_is_refused_before_any_thread_has_it(work: Path) -> None:
    """Landlock nests 16 domains and no more."""
    (work / "f").touch()
    code = f"""
{TRY}{THREADS}
granted = sys.argv[1] + "/f"
for wait in WAITS: thread(wait)
caps = caps_for(sys.argv[1])
caps.allow_path("/proc", AccessMode.READ)
layers = 0
try:
    for layers in range(40): nono_py.apply(caps)
except RuntimeError as error: print(error)
print(layers, len(set(read_status(status_files(), "Seccomp_filters"))))
release()
assert seen == [("EACCES", "done")] * len(kept), seen
"""
    done = host(code, work)
    first, second = done.stdout.decode().splitlines()
    assert first.startswith("Sandbox initialization failed: landlock_restrict_self: Argument list too long")
    assert second == "16 1", done.stderr


def test_the_library_can_still_change_all_threads(work: Path) -> None:
    """By the same signal, under the sandbox."""
    (work / "f").touch()
    code = f"""
{TRY}{THREADS}
granted = sys.argv[1] + "/f"
for wait in WAITS: thread(wait)
for _ in range(3): os.setresuid(-1, os.getuid(), -1)
nono_py.apply(caps_for(sys.argv[1]))
for _ in range(3): os.setresuid(-1, os.getuid(), -1)
release()
print(len(seen))
"""
    assert host(code, work).stdout == b"6\n"


def test_children_inherit_it(work: Path) -> None:
    code = """
nono_py.apply(caps_for(sys.argv[1]))
import subprocess
print(subprocess.run(["/bin/cat", "/etc/passwd"], capture_output=True).returncode)
print(subprocess.run(["/bin/sh", "-c", "echo hi"], capture_output=True).stdout)
"""
    done = host(code, work)
    assert done.stdout == b"1\nb'hi\\n'\n", done.stderr


def test_it_can_only_get_narrower(work: Path) -> None:
    (work / "in").mkdir()
    code = f"""
{TRY}
inner = caps_for(sys.argv[1] + "/in")
outer = caps_for(sys.argv[1])
nono_py.apply(outer)
print(attempt(lambda: open(sys.argv[1] + "/f", "w")))
try: nono_py.apply(inner)
except RuntimeError as error: print(error)
print(attempt(lambda: open(sys.argv[1] + "/g", "w")))
"""
    lines = host(code, work).stdout.splitlines()
    assert lines[0] == b"done"
    assert lines[-1] in (b"EACCES", b"done")
    if len(lines) == 3:
        assert lines[1].startswith(b"Sandbox initialization failed: "), "refused, and said so"


def test_external_does_nothing() -> None:
    assert (
        host("print(nono_py.apply_external(), len(open('/etc/passwd').read()) > 0)").stdout == b"None True\n"
    )


@pytest.mark.parametrize(
    "call",
    [
        "nono_py.apply_seccomp(caps, external_tcp=True)",
        "nono_py.apply_seccomp_with_abi(caps, nono_py.detect_abi(), external_tcp=True)",
    ],
)
def test_external_tcp_leaves_the_network_alone(tcp: Listener, call: str) -> None:
    code = f"""
{TRY}
caps = caps_for()
caps.allow_tcp_connect_port(1)
{call}
print(attempt(lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1]))).sendall(b"out")))
print(attempt(lambda: open("/etc/passwd")))
print(caps.is_network_blocked, caps.tcp_connect_ports)
"""
    done = host(code, tcp.port)
    assert done.stdout == b"done\nEACCES\nTrue [1]\n", done.stderr
    assert tcp.received() == b"out"


def test_port_rules_hold_in_this_process(tcp: Listener, other_tcp: Listener) -> None:
    code = f"""
{TRY}
caps = system_caps()
caps.allow_tcp_connect_port(int(sys.argv[1]))
nono_py.apply(caps)
for port in sys.argv[1:]:
    print(attempt(lambda: socket.create_connection(("127.0.0.1", int(port))).sendall(b"out")))
    print(attempt(lambda: socket.socket().sendto(b"out", socket.MSG_FASTOPEN, ("127.0.0.1", int(port)))))
"""
    done = host(code, tcp.port, other_tcp.port)
    assert done.stdout.split() == [b"done", b"EPERM", b"EACCES", b"EPERM"], done.stderr
    assert tcp.received() == b"out"
    assert other_tcp.received() is None


def test_refused_plan_changes_nothing(work: Path) -> None:
    (work / "d").mkdir()
    code = f"""
import os
{TRY}
caps = caps_for(sys.argv[1])
os.rmdir(sys.argv[1])
try: nono_py.apply(caps)
except RuntimeError as error: print(str(error).startswith("Sandbox initialization failed: "))
print(attempt(lambda: open("/etc/passwd")))
"""
    assert host(code, work / "d").stdout == b"True\ndone\n"


def test_abi_must_be_a_detected_one() -> None:
    code = """
for wrong in (None, 6, "V6"):
    try: nono_py.apply_auto_with_abi(caps_for(), wrong)
    except TypeError: print("refused")
"""
    assert host(code).stdout == b"refused\n" * 3
