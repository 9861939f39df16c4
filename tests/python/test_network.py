"""Ways to the network. A listener outside says what reached it; each way works unsandboxed."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
from collections.abc import Iterator

import pytest
from nono_py import CapabilitySet, ExecResult

from support import LOOPBACK, PYTHON, Listener, listening, outside, python, system_caps

SETTINGS = [(network, mode) for network in ("blocked", "ports") for mode in ("auto", "landlock", "seccomp")]

CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1]))).sendall(b'out')"
CONNECT_MAPPED = """
import socket, sys
s = socket.socket(socket.AF_INET6); s.connect(('::ffff:127.0.0.1', int(sys.argv[1]))); s.sendall(b'out')
"""
FAST_OPEN_SENDTO = """
import socket, sys
s = socket.socket(); s.sendto(b'out', socket.MSG_FASTOPEN, ('127.0.0.1', int(sys.argv[1])))
"""
FAST_OPEN_SENDMSG = """
import socket, sys
s = socket.socket(); s.sendmsg([b'out'], [], socket.MSG_FASTOPEN, ('127.0.0.1', int(sys.argv[1])))
"""
FAST_OPEN_CONNECT = """
import socket, sys
s = socket.socket(); s.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT
s.connect(('127.0.0.1', int(sys.argv[1]))); s.sendall(b'out')
"""
MPTCP = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.connect(('127.0.0.1', int(sys.argv[1]))); s.sendall(b'out')
"""
UDP = "import socket, sys; socket.socket(type=2).sendto(b'out', ('127.0.0.1', int(sys.argv[1])))"
UDP_CONNECTED = """
import socket, sys
s = socket.socket(type=2); s.connect(('127.0.0.1', int(sys.argv[1]))); s.send(b'out')
"""


@pytest.fixture(params=SETTINGS, ids="-".join)
def setting(request: pytest.FixtureRequest) -> tuple[str, str]:
    network, mode = request.param
    return network, mode


@pytest.fixture
def udp() -> Iterator[Listener]:
    with listening(socket.SOCK_DGRAM) as listener:
        yield listener


def confined(setting: tuple[str, str], allowed_port: int, code: str, *arguments: object) -> ExecResult:
    network, mode = setting
    caps = system_caps()
    if network == "blocked":
        caps.block_network()
    else:
        caps.allow_tcp_connect_port(allowed_port)
    return python(caps, code, *arguments, enforcement_mode=mode)


def assert_does_not_arrive(
    setting: tuple[str, str], listener: Listener, code: str, allowed_port: int
) -> None:
    free = outside(code, listener.port)
    if free.returncode != 0 and any(text in free.stderr for text in (b"Protocol not", b"not supported")):
        pytest.skip(f"expected: this kernel cannot do it at all: {free.stderr.splitlines()[-1].decode()}")
    assert listener.received() == b"out", free
    result = confined(setting, allowed_port, code, listener.port)
    assert listener.received() is None
    assert result.exit_code != 0


def test_connect_to_another_port(setting: tuple[str, str], tcp: Listener, other_tcp: Listener) -> None:
    assert_does_not_arrive(setting, tcp, CONNECT, other_tcp.port)


def test_connect_by_a_v4_mapped_address(setting: tuple[str, str], other_tcp: Listener) -> None:
    if not socket.has_ipv6:
        pytest.skip("expected: needs IPv6")
    with listening() as listener:
        assert_does_not_arrive(setting, listener, CONNECT_MAPPED, other_tcp.port)


@pytest.mark.parametrize("code", [FAST_OPEN_SENDTO, FAST_OPEN_SENDMSG, FAST_OPEN_CONNECT])
def test_fast_open_does_not_walk_past_port_rules(
    setting: tuple[str, str], tcp: Listener, other_tcp: Listener, code: str
) -> None:
    assert_does_not_arrive(setting, tcp, code, other_tcp.port)


def test_mptcp_does_not_walk_past_port_rules(
    setting: tuple[str, str], tcp: Listener, other_tcp: Listener
) -> None:
    assert_does_not_arrive(setting, tcp, MPTCP, other_tcp.port)


@pytest.mark.parametrize("code", [UDP, UDP_CONNECTED])
def test_udp_is_closed(setting: tuple[str, str], udp: Listener, tcp: Listener, code: str) -> None:
    assert_does_not_arrive(setting, udp, code, tcp.port)


def test_listen_without_bind_is_refused(setting: tuple[str, str], tcp: Listener) -> None:
    code = """
import socket
s = socket.socket(); s.listen(); print(s.getsockname()[1], flush=True)
s.settimeout(20); print(s.accept()[0].recv(9))
"""
    free = subprocess.Popen([PYTHON, "-c", code], stdout=subprocess.PIPE)
    assert free.stdout is not None
    with free, socket.create_connection((LOOPBACK, int(free.stdout.readline()))) as visitor:
        visitor.sendall(b"in")
        assert free.stdout.readline() == b"b'in'\n"
    result = confined(setting, tcp.port, code)
    assert result.exit_code != 0
    assert result.stdout == b""


@pytest.mark.parametrize("port", [0, "another"])
def test_bind_is_refused(setting: tuple[str, str], tcp: Listener, port: int | str) -> None:
    if port == "another":
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            port = free.getsockname()[1]
    code = "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen()"
    assert outside(code, port).returncode == 0
    assert confined(setting, tcp.port, code, port).exit_code != 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("raw", "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)"),
        ("ping", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)"),
        ("packet", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
        ("netlink", "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"),
        ("vsock", "import socket; socket.socket(socket.AF_VSOCK)"),
        ("alg", "import socket; socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)"),
        ("sctp", "import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)"),
        ("dccp", "import socket; socket.socket(socket.AF_INET, 6, 33)"),
        ("bluetooth", "import socket; socket.socket(31, socket.SOCK_RAW, 0)"),
    ],
)
def test_other_families_are_closed(setting: tuple[str, str], tcp: Listener, name: str, code: str) -> None:
    result = confined(setting, tcp.port, code)
    assert result.exit_code != 0, name
    if outside(code).returncode != 0:
        pytest.skip("expected: this kernel or user cannot do it at all")


class TestWhatIsAllowed:
    def test_open_network(self, tcp: Listener, udp: Listener) -> None:
        for listener, code in ((tcp, CONNECT), (udp, UDP)):
            result = python(system_caps(), code, listener.port)
            assert listener.received() == b"out", result.stderr

    def test_connect_port(self, tcp: Listener, other_tcp: Listener) -> None:
        for block in (False, True):
            caps = system_caps()
            caps.allow_tcp_connect_port(tcp.port)
            if block:
                caps.block_network()
            assert python(caps, CONNECT, tcp.port).exit_code == 0
            assert tcp.received() == b"out"
            result = python(caps, CONNECT, other_tcp.port)
            assert b"Permission denied" in result.stderr
            assert other_tcp.received() is None

    def test_bind_port(self, tcp: Listener) -> None:
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            port = free.getsockname()[1]
        code = (
            "import socket, sys; s = socket.socket(); s.setsockopt(1, 2, 1)\n"
            "s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); print('listening')"
        )
        caps = system_caps()
        caps.allow_bind_port(port)
        assert python(caps, code, port).stdout == b"listening\n"
        assert python(caps, CONNECT, tcp.port).exit_code != 0
        assert tcp.received() is None

    def test_localhost_port_alone_changes_nothing(self, tcp: Listener) -> None:
        caps = system_caps()
        caps.allow_localhost_port(1)
        assert python(caps, CONNECT, tcp.port).exit_code == 0
        assert tcp.received() == b"out"

    def test_localhost_port_is_refused_rather_than_opened_on_every_host(self, tcp: Listener) -> None:
        caps = system_caps()
        caps.block_network()
        caps.allow_localhost_port(tcp.port)
        result = python(caps, CONNECT, tcp.port)
        assert result.exit_code == 126
        assert b"Landlock compares ports, not addresses" in result.stderr

    def test_localhost_port_zero(self) -> None:
        caps = system_caps()
        caps.block_network()
        caps.allow_localhost_port(0)
        assert b"open_port 0 (localhost TCP wildcard) is macOS-only" in python(caps, "pass").stderr

    def test_port_zero_is_a_port_nobody_has(self, tcp: Listener) -> None:
        caps = system_caps()
        caps.allow_tcp_connect_port(0)
        assert python(caps, CONNECT, tcp.port).exit_code != 0
        assert tcp.received() is None


def test_refusals_look_like_permission_errors() -> None:
    code = "import socket\ntry: socket.socket()\nexcept OSError as e: print(e.errno)"
    caps = system_caps()
    caps.block_network()
    assert python(caps, code).stdout == f"{errno.EPERM}\n".encode()


def test_passed_socket_is_the_callers_own_choice(tcp: Listener) -> None:
    """A descriptor given as stdin is a grant of that very connection, and of nothing else."""
    caps = system_caps()
    caps.block_network()
    with socket.create_connection((LOOPBACK, tcp.port)) as connection:
        code = "import os; print(os.write(0, b'out'))"
        assert python(caps, code, stdin=connection).stdout == b"3\n"
    assert tcp.received() == b"out"


def test_names_are_not_resolved_behind_a_block() -> None:
    code = "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: print('no')"
    caps: CapabilitySet = system_caps()
    caps.block_network()
    assert python(caps, code).stdout == b"no\n"
    assert os.path.exists("/etc/hosts")
