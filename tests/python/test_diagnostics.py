"""Session reports: what is known, and what the command's own text suggests."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nono_py
import pytest
from nono_py import AccessMode, sandboxed_exec

from support import caps_for, host, python, shell, system_caps

GENERAL = [
    {
        "code": "command_failed_likely_sandbox",
        "severity": "info",
        "message": "discover additional paths required by the command",
        "remediation": {"kind": "run_discovery"},
    },
    {
        "code": "command_failed_application",
        "severity": "info",
        "message": "inspect sandbox policy for a specific path",
        "remediation": {"kind": "check_policy"},
    },
]


def said(
    text: str, exit_code: int = 1, caps: nono_py.CapabilitySet | None = None, **options: Any
) -> dict[str, Any]:
    """The report of a command that prints `text` on stderr."""
    code = f"import sys; sys.stderr.buffer.write({os.fsencode(text)!r}); sys.exit({exit_code})"
    return python(caps or system_caps(), code, **options).session_diagnostics()


def hints(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in report["diagnostics"] if "detail" in entry]


class TestReport:
    def test_success_says_nothing(self) -> None:
        result = shell(system_caps(), "true")
        empty = {"exit_code": 0, "denials": [], "ipc_denials": [], "violations": [], "diagnostics": []}
        assert result.session_diagnostics() == empty
        assert result.session_diagnostics_json() == json.dumps(empty, separators=(",", ":"))

    def test_failure_gives_general_advice(self) -> None:
        report = shell(system_caps(), "exit 3").session_diagnostics()
        assert (report["exit_code"], report["diagnostics"]) == (3, GENERAL)

    def test_build(self) -> None:
        assert nono_py.build_session_diagnostic_report(exit_code=5)["diagnostics"] == GENERAL
        assert nono_py.build_session_diagnostic_report(0)["diagnostics"] == []
        assert nono_py.build_session_diagnostic_report(-9)["exit_code"] == -9
        with pytest.raises(OverflowError):
            nono_py.build_session_diagnostic_report(2**31)
        with pytest.raises(TypeError):
            nono_py.build_session_diagnostic_report("1")  # type: ignore[arg-type]

    def test_fresh_each_time(self) -> None:
        result = shell(system_caps(), "exit 3")
        result.session_diagnostics().clear()
        assert result.session_diagnostics()["exit_code"] == 3


class TestMerge:
    def test_merge(self) -> None:
        merge = nono_py.merge_diagnostic_report_json
        assert merge("[1]") == {"session": [1]}
        assert merge(session_report_json="1", proxy_diagnostics_json="") == {"session": 1}
        assert merge('{"a": 1}', '{"b": 2}') == {"session": {"a": 1}, "proxy": {"b": 2}}

    def test_not_json(self) -> None:
        with pytest.raises(ValueError, match=r"^Configuration parse error: parse session diagnostic JSON: "):
            nono_py.merge_diagnostic_report_json("{")
        with pytest.raises(ValueError, match=r"^Configuration parse error: parse proxy diagnostics JSON: "):
            nono_py.merge_diagnostic_report_json("{}", "{")
        with pytest.raises(ValueError, match="parse session diagnostic JSON"):
            nono_py.merge_diagnostic_report_json("[" * 100_000)


class TestHints:
    def test_denied_read(self) -> None:
        (hint,) = hints(shell(system_caps(), "cat /etc/passwd").session_diagnostics())
        assert hint == {
            "code": "command_failed_likely_sandbox",
            "severity": "warning",
            "message": "command output suggests /etc/passwd (read) may be sandbox-related",
            "remediation": {"kind": "grant_path", "path": "/etc/passwd", "access": "Read", "is_file": True},
            "path": "/etc/passwd",
            "access": "Read",
            "detail": {"kind": "stderr_observation", "observation_kind": "likely_sandbox_path"},
        }

    def test_a_remedy_never_names_more_than_the_path(self) -> None:
        caps = system_caps()
        caps.allow_path("/etc", AccessMode.READ)
        (hint,) = hints(shell(caps, "touch /etc/zzz").session_diagnostics())
        assert hint["remediation"] == {
            "kind": "grant_path", "path": "/etc/zzz", "access": "Write", "is_file": True,
        }  # fmt: skip

    def test_missing_path(self) -> None:
        (hint,) = hints(shell(system_caps(), "cat /usr/no/such").session_diagnostics())
        assert (hint["code"], hint["path"], hint["access"]) == (
            "command_failed_application",
            "/usr/no/such",
            "Read",
        )
        assert hint["message"] == "command reported missing path /usr/no/such"
        assert "remediation" not in hint

    def test_relative_names_belong_to_the_directory(self, work: Path) -> None:
        (hint,) = hints(shell(system_caps(), "cat notes", cwd=str(work)).session_diagnostics())
        assert hint["path"] == str(work / "notes")

    def test_granted_path_is_not_listed(self, work: Path) -> None:
        text = f"cat: {work}/f: Permission denied\n"
        assert hints(said(text, caps=caps_for(work))) == []

    def test_application_error(self) -> None:
        (hint,) = hints(said("npm ERR! EEXIST: file already exists\x1b[2J\n"))
        assert hint["message"] == (
            "command reported application error: npm ERR! EEXIST: file already exists\\x1b[2J"
        )

    def test_network_only_when_blocked(self) -> None:
        text = "connect: Network is unreachable\n"
        assert hints(said(text)) == []
        (hint,) = hints(said(text, caps=caps_for()))
        assert hint["code"] == "sandbox_denied_network"

    def test_order(self) -> None:
        text = (
            "cat: /z: Permission denied\ncat: /y: Permission denied\nsocket: Operation not permitted\n"
            "x already exists\ncat: /b: No such file or directory\ncat: /a: No such file or directory\n"
            "cat: /a: Permission denied\ncat: /y: Permission denied\n"
        )
        report = said(text, caps=caps_for())
        kinds = [(h["detail"]["observation_kind"], h.get("path")) for h in hints(report)]
        assert kinds == [
            ("missing_path", "/a"),
            ("missing_path", "/b"),
            ("application_failure", None),
            ("network_blocked", None),
            ("likely_sandbox_path", "/y"),
            ("likely_sandbox_path", "/z"),
        ]
        assert report["diagnostics"][-2:] == GENERAL

    def test_hints_after_a_success_too(self) -> None:
        report = said("cat: /etc/shadow: Permission denied\n", exit_code=0)
        assert len(report["diagnostics"]) == 1

    def test_at_most_fifty_paths(self) -> None:
        text = "".join(f"cat: /p{n}: Permission denied\n" for n in range(100))
        assert len(hints(said(text))) == 50


class TestUntrustedText:
    @pytest.mark.parametrize("shift", range(4))
    @pytest.mark.parametrize("tail", ["\u20ac", "\U0001f600", "\udcff", "\udce2\udc82"])
    def test_multibyte_stderr_never_raises(self, shift: int, tail: str) -> None:
        report = said("x" * (65536 - shift) + tail * 10 + "\ncat: /a: Permission denied\n")
        assert report["exit_code"] == 1

    def test_any_bytes(self) -> None:
        code = "import os; os.write(2, bytes(i * 7919 % 251 for i in range(100000)) + b'\\n'); exit(1)"
        result = python(system_caps(), code)
        assert json.loads(result.session_diagnostics_json())["exit_code"] == 1

    def test_invisible_paths_are_passed_over(self) -> None:
        for name in ("/a\x1b[31m", "/a\u202e", "/a\udcff"):
            assert hints(said(f"cat: '{name}': Permission denied\n")) == []

    def test_only_the_first_part_counts(self) -> None:
        assert hints(said("y\n" * 40_000 + "cat: /a: Permission denied\n")) == []


class TestFacts:
    def test_program_that_was_not_granted(self, work: Path) -> None:
        (work / "tool").write_text("#!/bin/sh\n")
        (work / "tool").chmod(0o755)
        report = sandboxed_exec(system_caps(), [str(work / "tool")]).session_diagnostics()
        assert report["denials"] == [
            {
                "path": str(work / "tool"),
                "access": "Read",
                "operation": "execute",
                "reason": "path_not_granted",
            }
        ]
        assert report["diagnostics"][0]["code"] == "sandbox_denied_path"
        assert report["diagnostics"][0]["remediation"]["path"] == str(work / "tool")

    def test_refused_start_comes_with_its_hint(self) -> None:
        caps = system_caps()
        caps.block_network()
        caps.allow_localhost_port(8080)
        report = shell(caps, "true").session_diagnostics()
        first = report["diagnostics"][0]
        assert first["code"] == "sandbox_denied_path"
        assert first["message"].startswith("Sandbox initialization failed: ")
        assert "allow_tcp_connect_port" in first["hint"]

    def test_report_outlives_the_set_without_holding_its_files(self, work: Path) -> None:
        done = host(
            """
import os
caps = caps_for(sys.argv[1])
result = shell(caps, "cat /etc/passwd")
del caps
shell(caps_for(), "true")  # what is kept for the next command belongs to this one now
links = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
print(sys.argv[1] in links, len([d for d in result.session_diagnostics()["diagnostics"] if "detail" in d]))
""",
            work,
        )
        assert done.stdout == b"False 1\n", done.stderr
