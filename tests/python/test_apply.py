"""The calling process under a sandbox. Each case runs in a process of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import Listener, host

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


@pytest.mark.parametrize("call", VARIANTS)
def test_process_with_threads_is_covered_or_refused(call: str) -> None:
    code = f"""
import threading
{TRY}
go, seen = threading.Event(), []
def work():
    go.wait()
    seen.append(attempt(lambda: open("/etc/passwd").read()))
worker = threading.Thread(target=work); worker.start()
caps = caps_for()
try:
    {call}
    applied = True
except RuntimeError as error:
    applied = False
    assert str(error).startswith("Sandbox initialization failed: "), error
    assert error.diagnostic_code == "sandbox_denied_path"
go.set(); worker.join()
assert seen == (["EACCES"] if applied else ["done"]), (applied, seen)
print("ok")
"""
    done = host(code)
    assert done.stdout == b"ok\n", done.stderr


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
