"""Policy documents and what their groups come to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, Policy, load_embedded_policy, load_policy

from support import caps_for, shell

REQUIRED = [
    "deny_credentials",
    "deny_keychains_macos",
    "deny_keychains_linux",
    "deny_browser_data_macos",
    "deny_browser_data_linux",
    "deny_macos_private",
    "deny_shell_history",
    "deny_shell_configs",
]


def policy_of(**groups: dict[str, Any]) -> Policy:
    document = {name: {"description": name, **body} for name, body in groups.items()}
    return load_policy(json.dumps({"groups": document}))


class TestEmbedded:
    def test_text_is_the_document(self) -> None:
        document = json.loads(nono_py.embedded_policy_json())
        policy = load_embedded_policy()
        assert policy.group_names() == sorted(document["groups"])
        assert len(policy.group_names()) == 30
        assert repr(policy) == "Policy(groups=30)"
        assert "deny_credentials" in document["groups"]

    def test_descriptions(self) -> None:
        policy = load_embedded_policy()
        for name in policy.group_names():
            assert policy.group_description(name)
        assert policy.group_description("nope") is None

    def test_required_groups(self) -> None:
        policy = load_embedded_policy()
        for name in REQUIRED:
            with pytest.raises(ValueError, match=f"Cannot exclude required groups: '{name}'"):
                policy.validate_group_exclusions([name])
        policy.validate_group_exclusions(excluded_groups=["node_runtime", "nope"])

    def test_every_linux_group_resolves(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TMPDIR", raising=False)
        policy = load_embedded_policy()
        for name, group in json.loads(nono_py.embedded_policy_json())["groups"].items():
            here = group.get("platform") in (None, "linux")
            assert policy.resolve_groups([name], CapabilitySet()).names == ([name] if here else [])

    def test_unlink_protection(self) -> None:
        resolved = load_embedded_policy().resolve_groups(["unlink_protection"], CapabilitySet())
        assert resolved.needs_unlink_overrides


class TestResolve:
    def test_grants_come_from_the_group(self, work: Path) -> None:
        for name in ("r", "w", "rw"):
            (work / name).mkdir()
        (work / "f").write_text("")
        allow = {
            "read": [str(work / "r"), str(work / "f"), str(work / "missing")],
            "write": [str(work / "w")],
            "readwrite": [str(work / "rw")],
        }
        caps = CapabilitySet()
        resolved = policy_of(g={"allow": allow}).resolve_groups(group_names=["g"], caps=caps)
        assert [(g.resolved, g.access, g.is_file, str(g.source)) for g in caps.fs_capabilities()] == [
            (str(work / "r"), AccessMode.READ, False, "group:g"),
            (str(work / "f"), AccessMode.READ, True, "group:g"),
            (str(work / "w"), AccessMode.WRITE, False, "group:g"),
            (str(work / "rw"), AccessMode.READ_WRITE, False, "group:g"),
        ]
        assert repr(resolved) == "ResolvedPolicy(names=1, deny_paths=0, needs_unlink_overrides=false)"
        assert not caps.is_network_blocked

    def test_other_platforms_are_left_out(self, work: Path) -> None:
        policy = policy_of(
            mac={"platform": "macos", "allow": {"read": [str(work)]}},
            linux={"platform": "linux"},
            all={"platform": None},
        )
        caps = CapabilitySet()
        assert policy.resolve_groups(["mac", "all", "linux"], caps).names == ["all", "linux"]
        assert caps.fs_capabilities() == []

    def test_home_and_tmpdir(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(work))
        monkeypatch.setenv("TMPDIR", str(work))
        (work / "d").mkdir()
        for path in ("~/d", "$HOME/d", "$TMPDIR/d"):
            caps = CapabilitySet()
            policy_of(g={"allow": {"read": [path]}}).resolve_groups(["g"], caps)
            assert caps.fs_capabilities()[0].resolved == str(work / "d")

    def test_unset_tmpdir_means_tmp(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TMPDIR", raising=False)
        caps = CapabilitySet()
        policy_of(g={"allow": {"read": ["$TMPDIR"]}}).resolve_groups(["g"], caps)
        assert caps.fs_capabilities()[0].original == "/tmp"

    def test_relative_home_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "relative")
        with pytest.raises(ValueError, match="must be an absolute path, got: relative"):
            policy_of(g={"allow": {"read": ["~"]}}).resolve_groups(["g"], CapabilitySet())

    def test_failed_resolution_changes_nothing(self, work: Path) -> None:
        caps = CapabilitySet()
        with pytest.raises(ValueError, match="Unknown policy group: 'nope'"):
            policy_of(g={"allow": {"read": [str(work)]}, "network": {"block": True}}).resolve_groups(
                ["g", "nope"], caps
            )
        assert caps.fs_capabilities() == []
        assert not caps.is_network_blocked

    def test_deny_paths(self, work: Path) -> None:
        (work / "real").mkdir()
        (work / "link").symlink_to("real")
        policy = policy_of(g={"deny": {"access": [str(work / "link" / "x"), str(work / "real")]}})
        expected = [str(work / "link" / "x"), str(work / "real" / "x"), str(work / "real")]
        assert policy.resolve_deny_paths(["g"]) == expected
        assert policy.resolve_groups(["g"], CapabilitySet()).deny_paths == expected

    @pytest.mark.parametrize(
        ("network", "blocked"),
        [
            ({"block": True}, True),
            ({"block": False}, False),
            ({"allow_domain": []}, True),
            ({"allow_proxy": ["example.com"]}, True),
            ({"max_connections": 5}, True),
        ],
    )
    def test_network(self, network: dict[str, Any], blocked: bool) -> None:
        caps = CapabilitySet()
        policy_of(g={"network": network}).resolve_groups(["g"], caps)
        assert caps.is_network_blocked is blocked

    def test_names_must_be_a_list(self) -> None:
        with pytest.raises(TypeError):
            policy_of().resolve_groups("g", CapabilitySet())

    def test_key_and_alias_are_a_duplicate(self) -> None:
        with pytest.raises(ValueError, match="duplicate field"):
            policy_of(g={"network": {"allow_domain": [], "allow_proxy": []}})


class TestDenyOverlaps:
    def test_clear_set(self, work: Path) -> None:
        (work / "a").mkdir()
        caps = CapabilitySet()
        caps.allow_path(work / "a", AccessMode.READ)
        nono_py.validate_deny_overlaps(deny_paths=[str(work), str(work / "ab")], caps=caps)

    def test_equal_path_file_grant_and_group_grant_are_refused(self, work: Path) -> None:
        (work / "f").write_text("")
        equal = CapabilitySet()
        equal.allow_path(work, AccessMode.READ)
        file = CapabilitySet()
        file.allow_file(work / "f", AccessMode.READ)
        group = CapabilitySet()
        policy_of(g={"allow": {"read": [str(work)]}}).resolve_groups(["g"], group)
        for caps, denied in ((equal, work), (file, work / "f"), (group, work / "x")):
            with pytest.raises(RuntimeError, match="overlaps allowed parent"):
                nono_py.validate_deny_overlaps([str(denied)], caps)

    def test_link_does_not_slip_past(self, work: Path) -> None:
        (work / "real").mkdir()
        (work / "link").symlink_to("real")
        caps = CapabilitySet()
        caps.allow_path(work / "real", AccessMode.READ)
        with pytest.raises(RuntimeError, match="overlaps"):
            nono_py.validate_deny_overlaps([str(work / "link" / "x")], caps)


def test_unlink_overrides_do_nothing_on_linux(work: Path) -> None:
    caps = caps_for(work)
    before = caps.summary()
    nono_py.apply_unlink_overrides(caps)
    assert caps.summary() == before
    assert shell(caps, "touch x && rm x", cwd=str(work)).exit_code == 0
