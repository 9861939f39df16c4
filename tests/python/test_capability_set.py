"""AccessMode, CapabilitySource, FsCapability, CapabilitySet: the surface."""

from __future__ import annotations

import inspect
import json
import os
import pathlib
import pickle
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, CapabilitySource

# Written in Python, or an exception.
OPEN = [nono_py.AsyncStream, nono_py.FileError, nono_py.FileTools, nono_py.Job]
CLASSES = [getattr(nono_py, name) for name in nono_py.__all__ if inspect.isclass(getattr(nono_py, name))]
WITHOUT_CONSTRUCTOR = [
    "AccessMode",
    "CapabilitySource",
    "FsCapability",
    "UnixSocketCapability",
    "ExecResult",
    "Policy",
    "ResolvedPolicy",
    "SupportInfo",
    "DetectedAbi",
    "SandboxState",
]


class TestAccessMode:
    def test_text(self) -> None:
        assert [str(m) for m in (AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE)] == [
            "read",
            "write",
            "read+write",
        ]
        assert repr(AccessMode.READ_WRITE) == "AccessMode.READ_WRITE"

    def test_is_a_value(self) -> None:
        assert AccessMode.READ == AccessMode.READ
        assert AccessMode.READ != AccessMode.WRITE
        assert {AccessMode.READ: 1, AccessMode.WRITE: 2}[AccessMode.WRITE] == 2
        assert len({AccessMode.READ, AccessMode.READ, AccessMode.WRITE}) == 2

    def test_int_but_no_int(self) -> None:
        assert [int(m) for m in (AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE)] == [0, 1, 2]
        numbers: list[object] = [0, 1, 2]
        assert numbers[0] != AccessMode.READ
        assert AccessMode.WRITE not in numbers

    def test_has_no_order(self) -> None:
        with pytest.raises(TypeError):
            AccessMode.READ < AccessMode.WRITE  # type: ignore[operator]  # noqa: B015

    def test_read_back_is_equal(self, work: Path) -> None:
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.WRITE)
        assert caps.fs_capabilities()[0].access == AccessMode.WRITE


class TestCapabilitySource:
    def test_text(self) -> None:
        assert str(CapabilitySource.user()) == "user"
        assert str(CapabilitySource.group("web")) == "group:web"
        assert str(CapabilitySource.group(name="web")) == "group:web"
        assert repr(CapabilitySource.system()) == "CapabilitySource(system)"

    def test_compares_by_identity(self) -> None:
        assert CapabilitySource.user() != CapabilitySource.user()


class TestClasses:
    @pytest.mark.parametrize("name", WITHOUT_CONSTRUCTOR)
    def test_no_constructor(self, name: str) -> None:
        with pytest.raises(TypeError):
            getattr(nono_py, name)()

    @pytest.mark.parametrize("cls", CLASSES)
    def test_class_attributes_can_be_replaced(self, cls: type, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cls, "added_by_a_test", staticmethod(lambda: 7), raising=False)
        assert cls.added_by_a_test() == 7  # type: ignore[attr-defined]

    @pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls not in OPEN])
    def test_cannot_be_subclassed(self, cls: type) -> None:
        with pytest.raises(TypeError):
            type("Sub", (cls,), {})

    def test_instances_are_closed(self) -> None:
        caps = CapabilitySet()
        with pytest.raises(AttributeError):
            caps.something = 1  # type: ignore[attr-defined]
        with pytest.raises(AttributeError):
            caps.is_network_blocked = True  # type: ignore[misc]
        with pytest.raises(TypeError):
            pickle.dumps(caps)

    def test_sets_compare_by_identity(self) -> None:
        assert CapabilitySet() != CapabilitySet()


class TestGrants:
    def test_starts_empty(self) -> None:
        caps = CapabilitySet()
        assert caps.fs_capabilities() == []
        assert not caps.is_network_blocked
        assert repr(caps) == "CapabilitySet(fs=0, network=allowed)"
        assert caps.summary() == "(no capabilities granted)\nNetwork:\n  outbound: allowed"

    def test_directory(self, work: Path) -> None:
        caps = CapabilitySet()
        caps.allow_path(path=str(work), mode=AccessMode.READ)
        (grant,) = caps.fs_capabilities()
        assert (grant.original, grant.resolved, grant.is_file) == (str(work), str(work), False)
        assert str(grant.source) == "user"
        assert str(grant) == f"{work} (read)"
        assert repr(grant) == f"FsCapability(path='{work}', access=read, is_file=false)"
        assert caps.summary() == f"Filesystem:\n  {work} [read] (dir)\nNetwork:\n  outbound: allowed"

    def test_file(self, work: Path) -> None:
        (work / "f").write_text("")
        caps = CapabilitySet()
        caps.allow_file(work / "f", AccessMode.READ_WRITE)
        (grant,) = caps.fs_capabilities()
        assert grant.is_file
        assert "[read+write] (file)" in caps.summary()
        assert "is_file=true" in repr(grant)

    def test_device_socket_and_fifo_are_files(self, work: Path) -> None:
        os.mkfifo(work / "fifo")
        caps = CapabilitySet()
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)
        caps.allow_file(work / "fifo", AccessMode.READ)
        assert all(grant.is_file for grant in caps.fs_capabilities())

    def test_links_are_resolved(self, work: Path) -> None:
        (work / "real").mkdir()
        (work / "link").symlink_to("real")
        caps = CapabilitySet()
        caps.allow_path(work / "link", AccessMode.READ)
        (grant,) = caps.fs_capabilities()
        assert grant.original == str(work / "link")
        assert grant.resolved == str(work / "real")

    def test_relative_paths(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(work)
        caps = CapabilitySet()
        caps.allow_path(".", AccessMode.READ)
        assert caps.fs_capabilities()[0].resolved == str(work)

    def test_nothing_is_added_on_error(self, work: Path) -> None:
        (work / "f").write_text("")
        caps = CapabilitySet()
        with pytest.raises(FileNotFoundError):
            caps.allow_path(work / "missing", AccessMode.READ)
        with pytest.raises(ValueError, match="directory"):
            caps.allow_path(work / "f", AccessMode.READ)
        with pytest.raises(ValueError, match="directory"):
            caps.allow_file(work, AccessMode.READ)
        assert caps.fs_capabilities() == []

    def test_path_types(self, work: Path) -> None:
        class BytesPath:
            def __fspath__(self) -> bytes:
                return os.fsencode(work)

        caps = CapabilitySet()
        for path in (str(work), pathlib.PurePath(work), BytesPath()):
            caps.allow_path(path, AccessMode.READ)
        assert {grant.resolved for grant in caps.fs_capabilities()} == {str(work)}
        for wrong in (None, 1, b"/tmp", ["/tmp"]):
            with pytest.raises(TypeError):
                caps.allow_path(wrong, AccessMode.READ)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            caps.allow_path(work, "read")  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            caps.allow_path(work, 0)  # type: ignore[arg-type]

    def test_names_that_are_not_utf8(self, work: Path) -> None:
        name = os.fsdecode(b"caf\xe9")
        (work / name).mkdir()
        caps = CapabilitySet()
        caps.allow_path(work / name, AccessMode.READ)
        (grant,) = caps.fs_capabilities()
        assert grant.resolved == str(work / name)
        assert os.fsencode(grant.original).endswith(b"caf\xe9")
        assert caps.path_covered(work / name / "below")
        assert isinstance(repr(grant), str)
        assert isinstance(caps.summary(), str)

    def test_lists_are_fresh(self, work: Path) -> None:
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.READ)
        caps.fs_capabilities().clear()
        assert len(caps.fs_capabilities()) == 1


class TestPathCovered:
    def test_is_lexical(self, work: Path) -> None:
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.WRITE)
        assert caps.path_covered(work)
        assert caps.path_covered(path=work / "not" / "there")
        assert not caps.path_covered(str(work) + "x")
        assert not caps.path_covered(work.parent)

    def test_ignores_files(self, work: Path) -> None:
        (work / "f").write_text("")
        caps = CapabilitySet()
        caps.allow_file(work / "f", AccessMode.READ)
        assert not caps.path_covered(work / "f")


class TestDeduplicate:
    def test_read_and_write_become_one(self, work: Path) -> None:
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.READ)
        caps.allow_path(work, AccessMode.WRITE)
        assert len(caps.fs_capabilities()) == 2
        caps.deduplicate()
        (grant,) = caps.fs_capabilities()
        assert grant.access == AccessMode.READ_WRITE

    def test_group_grant_does_not_widen_a_users(self, work: Path) -> None:
        policy = nono_py.load_policy(
            json.dumps({"groups": {"g": {"description": "", "allow": {"write": [str(work)]}}}})
        )
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.READ)
        policy.resolve_groups(["g"], caps)
        caps.deduplicate()
        (grant,) = caps.fs_capabilities()
        assert grant.access == AccessMode.READ
        assert str(grant.source) == "user"

    def test_order_is_kept(self, work: Path) -> None:
        for name in "ab":
            (work / name).mkdir()
        caps = CapabilitySet()
        for name in "aba":
            caps.allow_path(work / name, AccessMode.READ)
        caps.deduplicate()
        assert [Path(grant.resolved).name for grant in caps.fs_capabilities()] == ["a", "b"]


class TestNetwork:
    def test_block(self) -> None:
        caps = CapabilitySet()
        caps.block_network()
        assert caps.is_network_blocked
        assert repr(caps) == "CapabilitySet(fs=0, network=blocked)"

    def test_ports_show_in_call_order(self) -> None:
        caps = CapabilitySet()
        caps.allow_tcp_connect_port(443)
        caps.allow_tcp_connect_port(80)
        caps.allow_tcp_connect_port(port=443)
        caps.allow_bind_port(8080)
        caps.allow_localhost_port(3000)
        caps.deduplicate()
        assert caps.tcp_connect_ports == [443, 80, 443]
        assert caps.bind_ports == [8080]
        assert caps.localhost_ports == [3000]
        assert not caps.is_network_blocked
        assert caps.summary().endswith("  tcp connect ports: 443, 80, 443\n  tcp bind ports: 8080")

    @pytest.mark.parametrize("method", ["allow_localhost_port", "allow_tcp_connect_port", "allow_bind_port"])
    def test_port_range(self, method: str) -> None:
        caps = CapabilitySet()
        add = getattr(caps, method)
        add(0)
        add(65535)
        add(True)
        for wrong in (65536, -1, 2**70):
            with pytest.raises(OverflowError):
                add(wrong)
        for wrong_type in (1.0, "80", None):
            with pytest.raises(TypeError):
                add(wrong_type)


class TestPlatformRule:
    def test_good_rules(self) -> None:
        caps = CapabilitySet()
        caps.platform_rule('  (allow file-read* (subpath "/usr"))')
        caps.platform_rule(rule='(allow mach-lookup (global-name "x(\\""))  ; a comment (')
        caps.platform_rule("(version 1) #| ( |#")

    @pytest.mark.parametrize(
        ("rule", "message"),
        [
            ("allow", "must be an S-expression starting with '(': allow"),
            ("(allow", "has unbalanced parentheses: (allow"),
            ("(allow))", "has unbalanced parentheses: (allow))"),
            ('(allow "x', "has unterminated string"),
            ("(allow) #| x", "has unterminated block comment"),
            ('(allow file-read* (subpath "/"))', "must not grant root-level read access"),
            ("(allow file-write* (subpath /))", "must not grant root-level write access"),
        ],
    )
    def test_bad_rules(self, rule: str, message: str) -> None:
        with pytest.raises(ValueError) as caught:
            CapabilitySet().platform_rule(rule)
        assert str(caught.value).startswith(f"Sandbox initialization failed: platform rule {message}")
        assert not hasattr(caught.value, "diagnostic_code")
