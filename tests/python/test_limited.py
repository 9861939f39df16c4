"""nono_py.limited: flags for the `nono` program, and running it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nono_py import AccessMode, CapabilitySet, limited

from support import GENEROUS, caps_for


@pytest.fixture
def binary(work: Path) -> str:
    """Stands in for the program: prints its arguments."""
    path = work / "fake-nono"
    path.write_text('#!/bin/sh\nfor a in "$@"; do echo "$a"; done\nexit ${CODE:-0}\n')
    path.chmod(0o755)
    return str(path)


def test_names() -> None:
    assert sorted(limited.__all__) == [
        "OOM_EXIT_CODE", "RunResult", "build_argv", "caps_to_flags", "find_nono_binary", "run",
    ]  # fmt: skip
    assert limited.OOM_EXIT_CODE == 137


class TestFind:
    def test_explicit_then_variable_then_path(
        self, binary: str, work: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (work / "nono").symlink_to(binary)
        monkeypatch.setenv("PATH", str(work))
        monkeypatch.setenv("NONO_BIN", "")
        assert limited.find_nono_binary() == str(work / "nono")
        monkeypatch.setenv("NONO_BIN", binary)
        assert limited.find_nono_binary() == binary
        assert limited.find_nono_binary(Path("/bin/true")) == "/bin/true"
        assert limited.find_nono_binary("fake-nono") == binary

    def test_missing(self, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(work))
        monkeypatch.delenv("NONO_BIN", raising=False)
        with pytest.raises(FileNotFoundError) as caught:
            limited.find_nono_binary()
        assert (
            str(caught.value)
            == "nono binary not found on PATH; install nono, pass nono_bin=, or set NONO_BIN"
        )
        for wrong in ("/no/such", "", "/etc/passwd"):
            with pytest.raises(
                FileNotFoundError, match=f"^nono binary not found or not executable: '{wrong}'$"
            ):
                limited.find_nono_binary(wrong)


class TestFlags:
    def test_in_grant_order(self, work: Path) -> None:
        for name in ("r", "w", "rw"):
            (work / name).mkdir()
        for name in ("fr", "fw", "frw"):
            (work / name).write_text("")
        caps = CapabilitySet()
        caps.allow_file(work / "fw", AccessMode.WRITE)
        caps.allow_path(work / "r", AccessMode.READ)
        caps.allow_path(work / "w", AccessMode.WRITE)
        caps.allow_file(work / "fr", AccessMode.READ)
        caps.allow_path(work / "rw", AccessMode.READ_WRITE)
        caps.allow_file(work / "frw", AccessMode.READ_WRITE)
        caps.block_network()
        assert limited.caps_to_flags(caps) == [
            "--write-file", f"{work}/fw", "--read", f"{work}/r", "--write", f"{work}/w",
            "--read-file", f"{work}/fr", "--allow", f"{work}/rw", "--allow-file", f"{work}/frw",
            "--block-net",
        ]  # fmt: skip
        assert limited.caps_to_flags(CapabilitySet()) == []

    def test_comma(self, work: Path) -> None:
        (work / "a,b").mkdir()
        caps = CapabilitySet()
        caps.allow_path(work / "a,b", AccessMode.READ)
        assert limited.caps_to_flags(caps) == ["--read", f"{work}/a,b"]
        caps.allow_path(work / "a,b", AccessMode.READ_WRITE)
        with pytest.raises(
            ValueError, match="cannot grant read\\+write to a directory whose path contains a comma"
        ):
            limited.caps_to_flags(caps)

    @pytest.mark.parametrize("method", ["allow_localhost_port", "allow_tcp_connect_port", "allow_bind_port"])
    def test_port_lists_are_not_dropped(self, method: str, binary: str) -> None:
        caps = CapabilitySet()
        getattr(caps, method)(443)
        with pytest.raises(ValueError, match="cannot pass TCP port rules"):
            limited.run(caps, ["true"], nono_bin=binary)


class TestArgv:
    def test_layout(self, binary: str) -> None:
        argv = limited.build_argv(
            CapabilitySet(), ("echo", "--memory"), memory=" 512M ", max_processes=7, nono_bin=binary
        )
        assert argv == [binary, "run", "--memory", "512M", "--max-processes", "7", "--", "echo", "--memory"]
        assert limited.build_argv(CapabilitySet(), ["x"], memory=1024, nono_bin=binary)[2:4] == [
            "--memory",
            "1024",
        ]

    @pytest.mark.parametrize(
        ("options", "expected", "message"),
        [
            ({"memory": True}, TypeError, "memory must be an int (bytes) or a size string, not bool"),
            ({"memory": 0}, ValueError, "memory limit must be positive, got 0"),
            ({"memory": -1}, ValueError, "memory limit must be positive, got -1"),
            ({"memory": "  "}, ValueError, "memory limit string cannot be empty"),
            ({"memory": 1.5}, TypeError, "memory must be an int (bytes) or a size string, not float"),
            ({"max_processes": True}, TypeError, "max_processes must be an int count, not bool"),
            ({"max_processes": "3"}, TypeError, "max_processes must be an int count, got str"),
            ({"max_processes": 0}, ValueError, "max_processes must be at least 1, got 0"),
        ],
    )
    def test_bad_limits(
        self, options: dict[str, Any], expected: type[Exception], message: str, binary: str
    ) -> None:
        with pytest.raises(expected) as caught:
            limited.build_argv(CapabilitySet(), ["x"], nono_bin=binary, **options)
        assert str(caught.value) == message

    def test_order_of_checks(self, work: Path, binary: str) -> None:
        (work / "a,b").mkdir()
        caps = CapabilitySet()
        caps.allow_path(work / "a,b", AccessMode.READ_WRITE)
        with pytest.raises(ValueError, match="command must contain at least the program to run"):
            limited.build_argv(caps, [], memory=0, nono_bin="/no/such")
        with pytest.raises(FileNotFoundError):
            limited.build_argv(caps, ["x"], memory=0, nono_bin="/no/such")
        with pytest.raises(ValueError, match="comma"):
            limited.build_argv(caps, ["x"], memory=0, nono_bin=binary)

    @pytest.mark.parametrize("command", ["ls -l", b"ls"])
    def test_command_is_not_split_into_letters(self, command: Any, binary: str) -> None:
        with pytest.raises(TypeError, match="not a single string"):
            limited.build_argv(CapabilitySet(), command, nono_bin=binary)


class TestRun:
    def test_result(self, binary: str) -> None:
        result = limited.run(CapabilitySet(), ["a", "b c"], nono_bin=binary, env={"CODE": "137"})
        assert result.argv == [binary, "run", "--", "a", "b c"]
        assert (result.returncode, result.stdout, result.stderr) == (137, "run\n--\na\nb c\n", "")
        assert (result.ok, result.oom_killed) == (False, True)
        with pytest.raises(AttributeError):
            result.returncode = 0  # type: ignore[misc]

    def test_bytes_and_no_capture(self, binary: str) -> None:
        assert limited.run(CapabilitySet(), ["a"], nono_bin=binary, text=False).stdout == b"run\n--\na\n"

    def test_timeout(self, work: Path) -> None:
        slow = work / "slow"
        slow.write_text("#!/bin/sh\nexec sleep 1000\n")
        slow.chmod(0o755)
        with pytest.raises(subprocess.TimeoutExpired):
            limited.run(CapabilitySet(), ["x"], nono_bin=slow, timeout=0.2)

    def test_with_the_real_program(self, work: Path) -> None:
        program = os.environ.get("NONO_CLI") or shutil.which("nono")
        if not program:
            pytest.skip("expected: the nono program is not installed")
        result = limited.run(
            caps_for(work),
            ["/bin/sh", "-c", f"echo hi > {work}/f; cat {work}/f; cat /etc/shadow"],
            memory="2G",
            nono_bin=program,
            timeout=GENEROUS,
            cwd=work,
        )
        assert result.stdout == "hi\n", result.stderr
        assert not result.ok
