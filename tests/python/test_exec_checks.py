"""What sandboxed_exec checks before any process exists, and in which order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from nono_py import AccessMode, CapabilitySet, sandboxed_exec

from support import system_caps

NAN = float("nan")

# Each value is wrong by itself; with several of them the first in this list is reported.
WRONG: list[tuple[str, Any, type[Exception], str]] = [
    ("command", [], ValueError, "command must not be empty"),
    ("timeout_secs", -1.5, ValueError, "timeout_secs must be non-negative, got -1.5"),
    ("max_processes", 0, ValueError, "max_processes must be positive"),
    ("max_cpu_seconds", 0, ValueError, "max_cpu_seconds must be positive"),
    ("max_open_files", 0, ValueError, "max_open_files must be positive"),
    ("max_memory_bytes", 0, ValueError, "max_memory_bytes must be positive"),
    ("uid", 0, ValueError, "uid must be non-zero (0 is root; dropping to it is a no-op)"),
    ("gid", 0, ValueError, "gid must be non-zero (0 is the root group; dropping to it is a no-op)"),
    (
        "enforcement_mode",
        "lax",
        ValueError,
        "enforcement_mode must be 'auto', 'landlock', or 'seccomp', got 'lax'",
    ),
    ("isolation", "vm", ValueError, "isolation must be 'auto', 'process', 'namespaces', or 'strict', got 'vm'"),
]
LATER: list[tuple[str, Any, type[Exception], str]] = [
    ("command", ["no-such-program"], RuntimeError, "Program not found in PATH: no-such-program"),
    ("env", [("", "x")], ValueError, "environment variable name must not be empty"),
    ("cwd", "/no/such", RuntimeError, "Cannot resolve working directory '/no/such': "),
]


@pytest.mark.parametrize("index", range(len(WRONG) + len(LATER)))
def test_order(index: int) -> None:
    arguments: dict[str, Any] = {"command": ["/bin/true"]}
    for name, value, _, _ in reversed((WRONG + LATER)[index:]):
        arguments[name] = value
    if index > 0 and arguments["command"] == []:
        del arguments["command"]
    _, _, expected, message = (WRONG + LATER)[index]
    with pytest.raises(expected) as caught:
        sandboxed_exec(CapabilitySet(), **arguments)
    assert str(caught.value).startswith(message)


class TestTimeout:
    @pytest.mark.parametrize(
        ("value", "text"),
        [(-1, "-1"), (-0.25, "-0.25"), (NAN, "NaN"), (float("-inf"), "-inf"), (-1e21, "-1" + 21 * "0")],
    )
    def test_refused(self, value: float, text: str) -> None:
        with pytest.raises(ValueError, match=f"^timeout_secs must be non-negative, got {text}$"):
            sandboxed_exec(CapabilitySet(), ["/bin/true"], timeout_secs=value)

    @pytest.mark.parametrize("value", [float("inf"), 1e30, 1e300, None])
    def test_infinite_timeout_is_no_limit(self, value: float | None) -> None:
        result = sandboxed_exec(system_caps(), ["/bin/true"], timeout_secs=value)
        assert (result.exit_code, result.timed_out) == (0, False)


class TestTypes:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("command", "ls"),
            ("command", b"ls"),
            ("command", [b"ls"]),
            ("command", [1]),
            ("command", None),
            ("command", iter(["ls"])),
            ("cwd", 1),
            ("timeout_secs", "1"),
            ("env", {"A": "b"}),
            ("env", [["A", "b"]]),
            ("env", [("A", 1)]),
            ("env", ["AB"]),
            ("inherit_env", 1),
            ("max_processes", 1.0),
            ("uid", "nobody"),
            ("enforcement_mode", None),
            ("stdin", "text"),
            ("stdin", 1.5),
            ("stdin", True),
            ("max_output_bytes", "1"),
            ("isolation", 1),
        ],
    )
    def test_wrong_type(self, name: str, value: object) -> None:
        arguments: dict[str, Any] = {"command": ["/bin/true"], name: value}
        with pytest.raises(TypeError):
            sandboxed_exec(CapabilitySet(), **arguments)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("max_processes", -1), ("max_cpu_seconds", 2**64), ("uid", 2**32), ("gid", -1), ("stdin", -1)],
    )
    def test_out_of_range(self, name: str, value: int) -> None:
        with pytest.raises(OverflowError):
            arguments: dict[str, Any] = {name: value}
            sandboxed_exec(CapabilitySet(), ["/bin/true"], **arguments)

    def test_supersets_are_keyword_only(self) -> None:
        with pytest.raises(TypeError):
            by_position: list[Any] = [None, None, None, False, *[None] * 6, "auto", b""]
            sandboxed_exec(CapabilitySet(), ["/bin/true"], *by_position)

    def test_everything_else_by_position(self) -> None:
        result = sandboxed_exec(
            system_caps(), ["/bin/sh", "-c", "echo $A; pwd"], "/", 60.0, [("A", "b")], False, None, 60, None,
            64,
            None, None, "auto",
        )  # fmt: skip
        assert result.stdout == b"b\n/\n"

    def test_tuples_and_paths(self, work: Path) -> None:
        caps = system_caps()
        result = sandboxed_exec(caps, command=(Path("/bin/echo"), work), cwd=Path("/"), env=(("A", "b"),))
        assert result.stdout == os.fsencode(work) + b"\n"


class TestProgram:
    def test_missing(self) -> None:
        for name in ("/no/such", "./no-such"):
            with pytest.raises(RuntimeError, match=f"^Program not found: {name}$"):
                sandboxed_exec(CapabilitySet(), [name])

    def test_search_path_is_the_live_one(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (work / "tool").write_text("#!/bin/sh\necho $0 $1\n")
        (work / "tool").chmod(0o755)
        caps = system_caps()
        caps.allow_path(work, AccessMode.READ)
        with pytest.raises(RuntimeError, match="Program not found in PATH: tool"):
            sandboxed_exec(caps, ["tool"])
        monkeypatch.setenv("PATH", str(work))
        # The child's own PATH does not matter.
        assert sandboxed_exec(caps, ["tool", "x"], env=[("PATH", "/")]).stdout == f"{work}/tool x\n".encode()

    def test_program_lookup_skips_non_executables(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("a", "b"):
            (work / name).mkdir()
            (work / name / "tool").write_text(f"#!/bin/sh\necho {name}\n")
        (work / "b" / "tool").chmod(0o755)
        monkeypatch.setenv("PATH", f"{work}/a:{work}/b")
        caps = system_caps()
        caps.allow_path(work, AccessMode.READ)
        assert sandboxed_exec(caps, ["tool"]).stdout == b"b\n"

    def test_relative_program_is_the_callers(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (work / "tool").write_text("#!/bin/sh\npwd\n")
        (work / "tool").chmod(0o755)
        caps = system_caps()
        caps.allow_path(work, AccessMode.READ)
        monkeypatch.chdir(work)
        assert sandboxed_exec(caps, ["./tool"], cwd="/usr").stdout == b"/usr\n"

    def test_linked_script_sees_its_real_path(self, work: Path) -> None:
        (work / "real").write_text("#!/bin/sh\necho $0\n")
        (work / "real").chmod(0o755)
        (work / "link").symlink_to("real")
        caps = system_caps()
        caps.allow_path(work, AccessMode.READ)
        assert sandboxed_exec(caps, [str(work / "link")]).stdout == f"{work}/real\n".encode()

    @pytest.mark.parametrize(
        "arguments",
        [
            {"command": ["/bin/true\0"]},
            {"command": ["/bin/true", "a\0b"]},
            {"command": ["/bin/true"], "cwd": "/\0"},
        ],
    )
    def test_nul_byte(self, arguments: dict[str, Any]) -> None:
        with pytest.raises(RuntimeError, match="contains null byte"):
            sandboxed_exec(CapabilitySet(), **arguments)


class TestEnvironment:
    def environment(self, *pairs: tuple[str, str], inherit_env: bool = False) -> list[bytes]:
        result = sandboxed_exec(system_caps(), ["/usr/bin/env"], env=list(pairs), inherit_env=inherit_env)
        assert result.exit_code == 0, result.stderr
        return result.stdout.splitlines()

    def test_exactly_what_is_given(self) -> None:
        assert sandboxed_exec(system_caps(), ["/usr/bin/env"]).stdout == b""
        assert self.environment(("B", "2"), ("A", "1"), ("B", "3"), ("C", "x=y")) == [
            b"A=1",
            b"B=3",
            b"C=x=y",
        ]

    def test_inherited_is_live_and_overridden(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("LD_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("NONO_TEST_ONE", "parent")
        monkeypatch.setenv("NONO_TEST_TWO", "parent")
        seen = self.environment(("NONO_TEST_TWO", "given"), inherit_env=True)
        assert b"NONO_TEST_ONE=parent" in seen
        assert b"NONO_TEST_TWO=given" in seen
        assert b"NONO_TEST_TWO=parent" not in seen

    def test_bytes_survive(self) -> None:
        assert self.environment(("A", os.fsdecode(b"\xff\xe9"))) == [b"A=\xff\xe9"]

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("", "x", "environment variable name must not be empty"),
            ("A=B", "x", "environment variable name 'A=B' must not contain '='"),
            ("A\0", "x", "environment variable name contains null byte"),
            ("A", "x\0", "environment variable value for 'A' contains null byte"),
            ("LD_PRELOAD", "x", "environment variable 'LD_PRELOAD' is not allowed in sandboxed_exec"),
            ("DYLD_X", "x", "environment variable 'DYLD_X' is not allowed in sandboxed_exec"),
            ("LIBPATH", "x", "environment variable 'LIBPATH' is not allowed in sandboxed_exec"),
            ("SHLIB_PATH", "x", "environment variable 'SHLIB_PATH' is not allowed in sandboxed_exec"),
        ],
    )
    def test_refused(self, name: str, value: str, message: str) -> None:
        with pytest.raises(ValueError) as caught:
            self.environment((name, value))
        assert str(caught.value) == message

    def test_inherited_loader_variables_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LD_LIBRARY_PATH", "/x")
        with pytest.raises(ValueError, match="'LD_LIBRARY_PATH' is not allowed"):
            self.environment(inherit_env=True)

    def test_others_pass(self) -> None:
        assert self.environment(("PYTHONPATH", "/x"), ("BASH_ENV", "/y")) == [
            b"BASH_ENV=/y",
            b"PYTHONPATH=/x",
        ]

    def test_proxy_handoff_variable_is_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NONO_PY_PROXY_HANDOFF", "nonsense")
        assert sandboxed_exec(system_caps(), ["/bin/true"]).exit_code == 0


class TestDirectory:
    def test_default_is_the_callers(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(work)
        assert sandboxed_exec(system_caps(), ["/bin/pwd"]).stdout == os.fsencode(work) + b"\n"

    def test_links_are_resolved(self, work: Path) -> None:
        (work / "real").mkdir()
        (work / "link").symlink_to("real")
        result = sandboxed_exec(system_caps(), ["/bin/pwd"], cwd=work / "link")
        assert result.stdout == os.fsencode(work / "real") + b"\n"

    def test_file_is_a_failed_chdir(self, work: Path) -> None:
        (work / "f").write_text("")
        result = sandboxed_exec(system_caps(), ["/bin/true"], cwd=work / "f")
        assert (result.exit_code, result.stderr) == (126, b"nono: failed to chdir\n")
