"""Patterns as grants: what has a matching name is open whenever it was made, and nothing else in their directory."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, QueryContext

from support import caps_for, needs_namespaces, shell
from test_supervised_names import is_supervised

pytestmark = pytest.mark.skipif(not is_supervised(), reason="expected: no supervisor here: a filter of the host's refuses one")


@pytest.fixture(params=["process", "namespaces", "strict"])
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param != "process":
        needs_namespaces()
    return str(request.param)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    for name in ("a.csv", "secret", "deep/b.csv", "deep/secret"):
        (data / name).write_text(f"text of {name}\n")
    return data


def granted(tmp_path: Path, *patterns: str, mode: AccessMode = AccessMode.READ) -> CapabilitySet:
    caps = caps_for()
    (tmp_path / "start").mkdir(exist_ok=True)
    caps.allow_path(tmp_path / "start", AccessMode.READ)
    for pattern in patterns:
        caps.allow_glob(pattern, mode)
    return caps


def run(caps: CapabilitySet, tmp_path: Path, script: str, isolation: str) -> nono_py.ExecResult:
    return shell(caps, script, cwd=tmp_path / "start", isolation=isolation)


def answers(caps: CapabilitySet, tmp_path: Path, isolation: str, *commands: str) -> list[bool]:
    """Which of these commands succeed, one after the other."""
    result = run(caps, tmp_path, "\n".join(f"({command}); echo ended with $?" for command in commands), isolation)
    codes = [int(line.split()[-1]) for line in result.stdout.splitlines() if line.startswith(b"ended with ")]
    assert len(codes) == len(commands), result
    return [code == 0 for code in codes]


def test_matching_files_are_read_and_no_others(data: Path, tmp_path: Path, isolation: str) -> None:
    caps = granted(tmp_path, f"{data}/**/*.csv")
    result = run(caps, tmp_path, f"cat {data}/*.csv {data}/*/*.csv; cat {data}/secret {data}/deep/secret", isolation)
    assert result.stdout == b"text of a.csv\ntext of deep/b.csv\n"
    assert result.stderr.count(b"Permission denied") == 2
    assert answers(caps, tmp_path, isolation, f"echo x >>{data}/a.csv", f"rm {data}/a.csv", f"test -e {data}/none.csv") == [False] * 3


def test_files_that_are_made_later_count(data: Path, tmp_path: Path, isolation: str) -> None:
    caps = granted(tmp_path, f"{data}/**/*.csv")
    assert run(caps, tmp_path, f"cat {data}/later.csv", isolation).exit_code == 1
    (data / "new").mkdir()
    (data / "new" / "later.csv").write_text("later\n")
    (data / "new" / "later.txt").write_text("not this\n")
    result = run(caps, tmp_path, f"cat {data}/new/later.csv {data}/new/later.txt", isolation)
    assert result.stdout == b"later\n"


def test_a_matching_directory_is_granted_with_all_in_it(data: Path, tmp_path: Path, isolation: str) -> None:
    (data / "open.d" / "below").mkdir(parents=True)
    caps = granted(tmp_path, f"{data}/*.d", mode=AccessMode.READ_WRITE)
    assert answers(
        caps,
        tmp_path,
        isolation,
        f"echo x >{data}/open.d/below/any",
        f"mkdir {data}/open.d/made",
        f"mkdir {data}/made.d",
        f"mkdir {data}/made",
        f"mv {data}/open.d/below {data}/below",
        f"mv {data}/open.d/below {data}/made.d/below",
        f"cat {data}/made.d/below/any",
    ) == [True, True, True, False, False, True, True]


def test_directories_on_the_way_are_listed(data: Path, tmp_path: Path, isolation: str) -> None:
    (tmp_path / "other").mkdir()
    caps = granted(tmp_path, f"{data}/*/*.csv")
    result = run(caps, tmp_path, f"ls {data}", isolation)
    assert result.stdout.split() == [b"a.csv", b"deep", b"secret"]
    assert answers(caps, tmp_path, isolation, f"ls {data}/deep", f"ls {tmp_path}/other", f"cat {data}/a.csv") == [True, False, False]


def test_nothing_matching_is_executed(data: Path, tmp_path: Path, isolation: str) -> None:
    program = data / "deep" / "tool.csv"
    program.write_bytes(Path("/usr/bin/true").read_bytes())
    program.chmod(0o755)
    caps = granted(tmp_path, f"{data}/**/*.csv")
    assert answers(caps, tmp_path, isolation, str(program), f"cmp {program} {program}") == [False, True]


def test_a_name_gives_no_file_that_has_another(data: Path, tmp_path: Path, isolation: str) -> None:
    """Links and moves: of the command's own, and what it can make of others."""
    caps = granted(tmp_path, f"{data}/**/*.csv", mode=AccessMode.READ_WRITE)
    assert answers(
        caps,
        tmp_path,
        isolation,
        f"ln {data}/secret {data}/c.csv",
        f"mv {data}/secret {data}/d.csv",
        f"ln -s {data}/secret {data}/e.csv && cat {data}/e.csv",
        f"ln -s secret {data}/f.csv && cat {data}/f.csv",
        f"mv {data}/a.csv {data}/g",
        f"mv {data}/a.csv {data}/h.csv",
        f"cat {data}/h.csv",
        f"mv {data}/deep {data}/deep.csv",
        f"cat /proc/self/cwd/../data/secret",
    ) == [False, False, False, False, False, True, True, False, False]
    assert (data / "secret").read_text() == "text of secret\n"


READ_WRITE = "exec 3<>{0} && cat <&3"


def test_what_may_be_written_may_not_therefore_be_read(data: Path, tmp_path: Path, isolation: str) -> None:
    """Landlock has one rule for the directory of both patterns."""
    caps = granted(tmp_path, f"{data}/*.csv")
    caps.allow_glob(f"{data}/*.log", AccessMode.WRITE)
    log = data / "x.log"
    log.write_text("log\n")
    (data / "w.log").mkdir()
    (data / "w.log" / "in.csv").write_text("in\n")
    assert answers(
        caps,
        tmp_path,
        isolation,
        f"echo more >>{log}",
        f"cat {log}",
        READ_WRITE.format(log),
        f"ln {log} {data}/y.csv",
        f"mv {log} {data}/y.csv",
        f"echo x >>{data}/a.csv",
        f"cat {data}/w.log/in.csv",
    ) == [True, False, False, False, False, False, False]
    assert log.read_text() == "log\nmore\n"


@pytest.mark.parametrize("change", ["chmod 600", "touch -d 2001-01-01", "truncate -s 0"])
def test_metadata_follows_names(data: Path, tmp_path: Path, isolation: str, change: str) -> None:
    caps = granted(tmp_path, f"{data}/**/*.csv", mode=AccessMode.READ_WRITE)
    for name in ("a.csv", "secret"):
        (data / name).chmod(0o644)
    before = (data / "secret").stat()
    assert answers(caps, tmp_path, isolation, f"{change} {data}/a.csv", f"{change} {data}/secret") == [True, False]
    assert (data / "secret").stat()[:7] == before[:7]
    assert (data / "secret").stat().st_mtime == before.st_mtime


def test_denials_hold_inside(data: Path, tmp_path: Path, isolation: str) -> None:
    (data / "private").mkdir()
    (data / "private" / "p.csv").write_text("private\n")
    caps = granted(tmp_path, f"{data}/**/*.csv")
    caps.deny_path(data / "private")
    caps.deny_path("**/b.csv")
    assert answers(caps, tmp_path, isolation, f"cat {data}/private/p.csv", f"cat {data}/deep/b.csv", f"cat {data}/a.csv") == [
        False,
        False,
        True,
    ]


def test_explanations_answer_as_the_kernel_does(data: Path, tmp_path: Path) -> None:
    caps = granted(tmp_path, f"{data}/**/*.csv")
    context = QueryContext(caps)
    for name, allowed in [("a.csv", True), ("secret", False), ("deep", True), ("deep/b.csv", True), ("later.csv", True)]:
        assert context.query_path(data / name, AccessMode.READ)["status"] == ("allowed" if allowed else "denied"), name
    assert context.query_path(data / "a.csv", AccessMode.READ)["granted_path"] == f"{data}/**/*.csv"
    assert context.query_path(data / "a.csv", AccessMode.WRITE)["status"] == "denied"


def test_the_record_says_what_holds_them(data: Path, tmp_path: Path) -> None:
    record = nono_py.plan(granted(tmp_path, f"{data}/**/*.csv"), isolation="process")
    (entry,) = [grant for grant in record["grants"] if "pattern" in grant]
    assert entry["pattern"] == f"{data}/**/*.csv"
    assert entry["path"] == str(data)
    (boundary,) = [b for b in record["boundaries"] if b["boundary"] == "names that a granted pattern leaves out"]
    assert boundary["enforced_by"] == "supervisor"


def test_grants_show_their_pattern(data: Path) -> None:
    caps = CapabilitySet()
    caps.allow_glob(f"{data}/*.csv", AccessMode.READ)
    caps.allow_path(data, AccessMode.READ)
    pattern, path = caps.fs_capabilities()
    assert (pattern.pattern, pattern.resolved, pattern.is_file) == (f"{data}/*.csv", str(data), False)
    assert path.pattern is None
    assert str(pattern) == f"{data}/*.csv (read)"
    assert f"{data}/*.csv [read] (pattern)" in caps.summary()


def test_a_directory_that_was_replaced_is_refused(data: Path, tmp_path: Path) -> None:
    caps = granted(tmp_path, f"{data}/**/*.csv")
    data.rename(tmp_path / "moved")
    data.symlink_to(tmp_path)
    result = run(caps, tmp_path, "true", "process")
    assert result.exit_code == 126
    assert f"granted path {data} is no longer what was granted".encode() in result.stderr


def test_the_command_line_takes_them(data: Path, tmp_path: Path) -> None:
    nono = os.environ.get("NONO_CLI") or "nono"
    (data / "[ab].txt").write_text("literal\n")
    (data / "sub[1]").mkdir()
    (data / "sub[1]" / "file").write_text("literal directory\n")
    command = [nono, "run", "--block-net", "--read", f"{data}/*.csv", "--read", f"{data}/sub[1]", "--cwd", "/usr", "--"]
    done = subprocess.run(
        [*command, "/bin/sh", "-c", f"cat {data}/a.csv '{data}/sub[1]/file'; cat {data}/secret"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == b"text of a.csv\nliteral directory\n", done
    assert b"Permission denied" in done.stderr
