"""QueryContext: the answer is what the kernel does."""

from __future__ import annotations

from pathlib import Path

import pytest
from nono_py import AccessMode, CapabilitySet, QueryContext

from support import caps_for, shell


def granting(*grants: tuple[Path, AccessMode]) -> QueryContext:
    caps = CapabilitySet()
    for path, mode in grants:
        (caps.allow_path if path.is_dir() else caps.allow_file)(path, mode)
    return QueryContext(caps=caps)


def test_granted(work: Path) -> None:
    (work / "f").write_text("")
    assert granting((work, AccessMode.READ)).query_path(path=work / "f", mode=AccessMode.READ) == {
        "status": "allowed",
        "reason": "granted_path",
        "granted_path": str(work),
        "access": "read",
    }


def test_insufficient(work: Path) -> None:
    assert granting((work, AccessMode.READ)).query_path(work / "new", AccessMode.WRITE) == {
        "status": "denied",
        "reason": "insufficient_access",
        "granted": "read",
        "requested": "write",
    }


def test_not_granted(work: Path) -> None:
    (work / "a").mkdir()
    context = granting((work / "a", AccessMode.READ))
    for path in (work, str(work / "a") + "x", "/etc/passwd", work / "b" / "c"):
        assert context.query_path(path, AccessMode.READ) == {"status": "denied", "reason": "path_not_granted"}


def test_file_grant_covers_no_siblings(work: Path) -> None:
    for name in ("f", "g"):
        (work / name).write_text("")
    context = granting((work / "f", AccessMode.READ))
    assert context.query_path(work / "f", AccessMode.READ)["status"] == "allowed"
    assert context.query_path(work / "g", AccessMode.READ)["status"] == "denied"


def test_longest_sufficient_grant_wins(work: Path) -> None:
    (work / "in").mkdir()
    orders = [(work, AccessMode.READ_WRITE), (work / "in", AccessMode.READ)]
    for grants in (orders, orders[::-1]):
        context = granting(*grants)
        for mode, winner in ((AccessMode.READ, work / "in"), (AccessMode.WRITE, work)):
            assert context.query_path(work / "in" / "x", mode) == {
                "status": "allowed",
                "reason": "granted_path",
                "granted_path": str(winner),
                "access": "read+write" if winner == work else "read",
            }


def test_two_grants_add_up(work: Path) -> None:
    (work / "in").mkdir()
    context = granting((work, AccessMode.READ), (work / "in", AccessMode.WRITE))
    assert context.query_path(work / "in" / "x", AccessMode.READ_WRITE) == {
        "status": "allowed",
        "reason": "granted_path",
        "granted_path": f"{work} (read) + {work / 'in'} (write)",
        "access": "read+write",
    }


def test_links_are_followed(work: Path) -> None:
    (work / "in").mkdir()
    (work / "out").mkdir()
    (work / "in" / "link").symlink_to(work / "out")
    context = granting((work / "in", AccessMode.READ))
    assert context.query_path(work / "in" / "link", AccessMode.READ)["status"] == "denied"
    assert context.query_path(work / "in" / "link" / "new", AccessMode.READ)["status"] == "denied"


def test_set_is_copied(work: Path) -> None:
    caps = CapabilitySet()
    context = QueryContext(caps)
    caps.allow_path(work, AccessMode.READ)
    caps.block_network()
    assert context.query_path(work, AccessMode.READ)["status"] == "denied"
    assert context.query_network() == {"status": "allowed", "reason": "network_allowed"}


def test_network() -> None:
    caps = CapabilitySet()
    caps.block_network()
    assert QueryContext(caps).query_network() == {"status": "denied", "reason": "network_blocked"}


def test_network_with_ports_is_not_called_allowed() -> None:
    caps = CapabilitySet()
    caps.allow_tcp_connect_port(443)
    assert QueryContext(caps).query_network() == {
        "status": "denied",
        "reason": "network_blocked",
        "tcp_connect_ports": [443],
        "bind_ports": [],
    }


@pytest.mark.parametrize("name", ["granted", "readable", "elsewhere"])
@pytest.mark.parametrize("mode", [AccessMode.READ, AccessMode.WRITE])
def test_answer_agrees_with_the_kernel(work: Path, name: str, mode: AccessMode) -> None:
    for directory in ("granted", "readable", "elsewhere"):
        (work / directory).mkdir()
        (work / directory / "f").write_text("x")
        (work / directory / "f").chmod(0o666)
    caps = caps_for(work / "granted")
    caps.allow_path(work / "readable", AccessMode.READ)
    path = work / name / "f"
    answer = QueryContext(caps).query_path(path, mode)["status"] == "allowed"
    script = f"cat '{path}'" if mode == AccessMode.READ else f"echo y >> '{path}'"
    assert (shell(caps, script).exit_code == 0) is answer
