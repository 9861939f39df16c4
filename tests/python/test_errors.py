"""Which exception each error becomes, its text, and what it carries."""

from __future__ import annotations

import os
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, SandboxState, load_policy

from support import needs_user, system_caps

OTHER = "other"


def caught(
    expected: type[BaseException], call: object, *arguments: object, **options: object
) -> BaseException:
    with pytest.raises(expected) as info:
        call(*arguments, **options)  # type: ignore[operator]
    assert type(info.value) is expected
    return info.value


def code_of(error: BaseException) -> str:
    code = error.diagnostic_code  # type: ignore[attr-defined]
    assert isinstance(code, str)
    return code


def carries_nothing(error: BaseException) -> bool:
    return not hasattr(error, "diagnostic_code") and not hasattr(error, "remediation")


class TestPaths:
    def test_missing_path(self, work: Path) -> None:
        for method in ("allow_path", "allow_file"):
            error = caught(
                FileNotFoundError, getattr(CapabilitySet(), method), work / "missing", AccessMode.READ
            )
            assert isinstance(error, FileNotFoundError)
            assert str(error) == f"Path does not exist: {work / 'missing'}"
            assert error.args == (str(error),)
            assert error.errno is None
            assert code_of(error) == OTHER
            assert not hasattr(error, "remediation")

    def test_path_is_printed_as_given(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(work)
        error = caught(FileNotFoundError, CapabilitySet().allow_path, "./a/../missing", AccessMode.READ)
        assert str(error) == "Path does not exist: ./a/../missing"

    def test_file_where_a_directory_is_wanted(self, work: Path) -> None:
        (work / "f").write_text("")
        error = caught(ValueError, CapabilitySet().allow_path, work / "f", AccessMode.READ)
        assert str(error) == f"Expected a directory but got a file: {work / 'f'}"
        assert code_of(error) == OTHER

    def test_directory_where_a_file_is_wanted(self, work: Path) -> None:
        error = caught(ValueError, CapabilitySet().allow_file, work, AccessMode.READ)
        assert str(error) == f"Expected a file but got a directory: {work}"
        assert code_of(error) == OTHER

    def test_nul_byte(self) -> None:
        error = caught(OSError, CapabilitySet().allow_path, "/tmp/a\0b", AccessMode.READ)
        assert isinstance(error, OSError)
        assert str(error).startswith("Failed to canonicalize path ")
        assert error.errno is None
        assert code_of(error) == OTHER

    def test_component_that_is_no_directory(self, work: Path) -> None:
        (work / "f").write_text("")
        error = caught(OSError, CapabilitySet().allow_path, work / "f" / "x", AccessMode.READ)
        assert str(error) == f"Failed to canonicalize path {work / 'f' / 'x'}: Not a directory (os error 20)"

    def test_link_loop(self, work: Path) -> None:
        (work / "loop").symlink_to("loop")
        error = caught(OSError, CapabilitySet().allow_path, work / "loop", AccessMode.READ)
        assert "(os error 40)" in str(error)

    @needs_user
    def test_unreadable_directory(self, work: Path) -> None:
        (work / "closed").mkdir(mode=0)
        try:
            error = caught(OSError, CapabilitySet().allow_path, work / "closed" / "x", AccessMode.READ)
        finally:
            os.chmod(work / "closed", 0o700)
        assert str(error).endswith("Permission denied (os error 13)")

    def test_name_that_is_not_utf8(self, work: Path) -> None:
        path = work / os.fsdecode(b"\xff")
        error = caught(FileNotFoundError, CapabilitySet().allow_path, path, AccessMode.READ)
        assert str(error) == f"Path does not exist: {path}"


class TestSandboxInit:
    def test_deny_overlap(self, work: Path) -> None:
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.READ)
        error = caught(RuntimeError, nono_py.validate_deny_overlaps, [str(work / "x")], caps)
        assert str(error) == (
            "Sandbox initialization failed: Landlock deny-overlap is not enforceable on Linux. "
            "Refusing to start with conflicting policy.\n"
            f"deny '{work / 'x'}' overlaps allowed parent '{work}' (source: user)"
        )
        assert code_of(error) == "sandbox_denied_path"
        assert not hasattr(error, "remediation")

    def test_hint_is_a_note_not_text(self, work: Path) -> None:
        caps = CapabilitySet()
        caps.allow_path(work, AccessMode.READ)
        error = caught(RuntimeError, nono_py.validate_deny_overlaps, [work / "x"], caps)
        if hasattr(error, "add_note"):
            (note,) = error.__notes__
            assert note
            assert note not in str(error)

    def test_grant_that_is_gone(self, work: Path) -> None:
        (work / "d").mkdir()
        caps = system_caps()
        caps.allow_path(work / "d", AccessMode.READ)
        (work / "d").rmdir()
        result = nono_py.sandboxed_exec(caps, ["/bin/true"])
        assert result.exit_code == 126
        assert result.stderr.startswith(b"nono: sandbox apply failed: Sandbox initialization failed: ")
        assert os.fsencode(work / "d") in result.stderr


class TestConfiguration:
    def test_carries_a_remediation(self) -> None:
        error = caught(ValueError, load_policy, '{"groups": {}, "surprise": 1}')
        assert str(error).startswith("Configuration parse error: Failed to parse policy.json: ")
        assert code_of(error) == "configuration_error"
        assert error.remediation == {"kind": "check_policy"}  # type: ignore[attr-defined]

    GROUP = '{"groups": {"g": {"description": "", %s}}}'
    ROUTE = GROUP % '"network": {"custom_credentials": {"c": {"prefix": "p", "upstream": "https://u", %s}}}'

    @pytest.mark.parametrize(
        "document",
        [
            '{"groups": {}, "mistaken_key": 1}',
            '{"groups": {}, "meta": {"mistaken_key": 1}}',
            GROUP % '"mistaken_key": 1',
            GROUP % '"allow": {"mistaken_key": []}',
            GROUP % '"deny": {"mistaken_key": []}',
            GROUP % '"network": {"mistaken_key": 1}',
            ROUTE % '"mistaken_key": 1',
            ROUTE % '"endpoint_rules": [{"method": "GET", "path": "/", "mistaken_key": 1}]',
        ],
    )
    def test_unknown_key_is_named_at_every_level(self, document: str) -> None:
        error = caught(ValueError, load_policy, document)
        assert "unknown field `mistaken_key`" in str(error)

    @pytest.mark.parametrize(
        "document", ["", "not json", "[]", '{"groups": []}', '{"groups": {"g": 1}}', "{}"]
    )
    def test_malformed_documents(self, document: str) -> None:
        assert code_of(caught(ValueError, load_policy, document)) == "configuration_error"

    def test_unknown_group(self) -> None:
        error = caught(ValueError, load_policy('{"groups": {}}').resolve_groups, ["nope"], CapabilitySet())
        assert str(error) == "Configuration parse error: Unknown policy group: 'nope'"

    def test_bad_access_in_a_state(self) -> None:
        state = SandboxState.from_json(
            '{"fs": [{"original": "/usr", "resolved": "/usr", "access": "all", "is_file": false}],'
            ' "net_blocked": false}'
        )
        error = caught(ValueError, state.to_caps)
        assert str(error) == "Configuration parse error: invalid access mode in sandbox state: all"
        assert code_of(error) == "configuration_error"


class TestErrorsAboutArguments:
    def test_carry_nothing(self) -> None:
        caps = CapabilitySet()
        ports = CapabilitySet()
        ports.allow_bind_port(1)
        run = nono_py.sandboxed_exec
        for error in (
            caught(ValueError, SandboxState.from_json, "{}"),
            caught(ValueError, SandboxState.from_caps, ports),
            caught(ValueError, caps.platform_rule, "x"),
            caught(ValueError, run, caps, []),
            caught(ValueError, run, caps, ["true"], timeout_secs=-1),
            caught(ValueError, run, caps, ["true"], uid=0),
            caught(ValueError, run, caps, ["true"], env=[("", "")]),
            caught(RuntimeError, run, caps, ["/no/such/program"]),
            caught(RuntimeError, run, caps, ["true"], cwd="/no/such/directory"),
            caught(ValueError, nono_py.merge_diagnostic_report_json, "x"),
        ):
            assert carries_nothing(error), error

    def test_attributes_can_be_set(self) -> None:
        error = caught(ValueError, load_policy, "{}")
        error.diagnostic_code = "mine"  # type: ignore[attr-defined]
        assert code_of(error) == "mine"


class TestPlan:
    def test_refusal_is_a_runtime_error(self) -> None:
        caps = CapabilitySet()
        caps.block_network()
        caps.allow_localhost_port(0)
        error = caught(RuntimeError, nono_py.plan, caps)
        assert str(error) == (
            "Sandbox initialization failed: open_port 0 (localhost TCP wildcard) is macOS-only; "
            "on Linux use explicit ports or a network profile."
        )
        assert code_of(error) == "sandbox_denied_path"
