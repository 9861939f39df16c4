"""SandboxState: a set as JSON and back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from nono_py import AccessMode, CapabilitySet, SandboxState

from support import caps_for, shell


def entry(path: str, access: str = "read", is_file: bool = False) -> dict[str, object]:
    return {"original": path, "resolved": path, "access": access, "is_file": is_file}


def test_json_layout(work: Path) -> None:
    caps = CapabilitySet()
    caps.allow_path(work, AccessMode.READ_WRITE)
    text = SandboxState.from_caps(caps).to_json()
    document = {"fs": [entry(str(work), "read+write")], "net_blocked": False}
    assert text == json.dumps(document, indent=2)


def test_round_trip_still_runs(work: Path) -> None:
    caps = caps_for(work)
    state = SandboxState.from_json(SandboxState.from_caps(caps).to_json())
    assert repr(state) == f"SandboxState(fs={len(caps.fs_capabilities())}, net_blocked=true)"
    assert state.net_blocked
    again = state.to_caps()
    assert len(again.fs_capabilities()) == len(caps.fs_capabilities())
    assert again.is_network_blocked
    assert shell(again, "echo hi > x; cat x", cwd=str(work)).stdout == b"hi\n"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "",
        "nonsense",
        "[]",
        '{"fs": []}',
        '{"net_blocked": false}',
        '{"fs": [{"original": "/usr", "resolved": "/usr", "access": "read"}], "net_blocked": false}',
        '{"fs": {}, "net_blocked": false}',
    ],
)
def test_not_a_state(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Invalid JSON: "):
        SandboxState.from_json(text)


def test_unknown_keys_are_ignored() -> None:
    state = SandboxState.from_json('{"fs": [], "net_blocked": true, "later": {}}')
    assert repr(state) == "SandboxState(fs=0, net_blocked=true)"


def test_original_is_resolved_again(work: Path) -> None:
    (work / "d").mkdir()
    document = {"fs": [{**entry(str(work / "d")), "resolved": "/etc"}], "net_blocked": False}
    (grant,) = SandboxState.from_json(json.dumps(document)).to_caps().fs_capabilities()
    assert grant.resolved == str(work / "d")
    assert str(grant.source) == "user"


def test_missing_and_changed_paths(work: Path) -> None:
    (work / "f").write_text("")
    missing = json.dumps({"fs": [entry(str(work / "missing"))], "net_blocked": False})
    with pytest.raises(FileNotFoundError):
        SandboxState.from_json(missing).to_caps()
    changed = json.dumps({"fs": [entry(str(work / "f"))], "net_blocked": False})
    with pytest.raises(ValueError, match="Expected a directory"):
        SandboxState.from_json(changed).to_caps()


@pytest.mark.parametrize("method", ["allow_localhost_port", "allow_tcp_connect_port", "allow_bind_port"])
def test_port_lists_are_refused(method: str) -> None:
    caps = CapabilitySet()
    getattr(caps, method)(80)
    with pytest.raises(ValueError, match="SandboxState cannot represent per-port TCP allowlists"):
        SandboxState.from_caps(caps)


def test_path_that_json_cannot_carry(work: Path) -> None:
    name = os.fsdecode(b"\xff")
    (work / name).mkdir()
    caps = CapabilitySet()
    caps.allow_path(work / name, AccessMode.READ)
    with pytest.raises(ValueError, match="not UTF-8"):
        SandboxState.from_caps(caps)


def test_resource_limits_survive() -> None:
    limits = {"memory_bytes": 1 << 30, "max_processes": 7}
    text = json.dumps({"fs": [], "net_blocked": False, "resource_limits": limits})
    again = SandboxState.from_caps(SandboxState.from_json(text).to_caps())
    assert json.loads(again.to_json())["resource_limits"] == limits


