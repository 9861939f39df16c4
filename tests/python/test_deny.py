"""deny_path: closed inside a grant, whatever is tried from inside; refused where it cannot be held."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, QueryContext, sandboxed_exec_async

from support import can_supervise, caps_for, needs_namespaces, needs_root, needs_supervisor, shell

SECRET = "the secret"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A workspace with a file and a directory to deny."""
    work = tmp_path / "work"
    (work / ".git" / "hooks").mkdir(parents=True)
    (work / ".git" / "hooks" / "pre-commit").write_text(SECRET)
    (work / "deep" / "er").mkdir(parents=True)
    (work / "deep" / "er" / "key").write_text(SECRET)
    (work / ".env").write_text(SECRET)
    return work


@pytest.fixture
def caps(work: Path) -> Iterator[CapabilitySet]:
    needs_namespaces()
    caps = caps_for(work)
    for path in (".env", ".git/hooks", "deep/er/key"):
        caps.deny_path(work / path)
    yield caps
    # Whatever was tried: all is as it was.
    assert (work / ".env").read_text().startswith(SECRET)
    assert (work / "deep" / "er" / "key").read_text() == SECRET
    assert os.listdir(work / ".git" / "hooks") == ["pre-commit"]
    assert (work / ".git" / "hooks" / "pre-commit").read_text() == SECRET


@pytest.mark.parametrize(
    "attempt",
    [
        "cat .env",
        "cat deep/er/key",
        "cat .git/hooks/pre-commit",
        "cat deep/../.env",
        "cat /proc/self/cwd/.env",
        "ln -s .env link; cat link",
        "ln .env hard; cat hard",
        "mv .env other; cat other",
        "mv deep other; cat other/er/key",
        "mv deep/er deep/other; cat deep/other/key",
        "cp -r . /dev/shm/copy; cat /dev/shm/copy/.env",
        "tar cf - . | tar xOf - ./.env",
        "exec 3<>.env; cat <&3",
    ],
)
def test_a_denied_file_is_not_read(caps: CapabilitySet, work: Path, attempt: str) -> None:
    result = shell(caps, attempt, cwd=str(work))
    assert SECRET.encode() not in result.stdout
    assert result.exit_code != 0 or not result.stdout


@pytest.mark.parametrize(
    "attempt",
    [
        "echo x > .env",
        "echo x >> deep/er/key",
        "truncate -s 0 .env",
        "rm -f .env",
        "rm -rf deep",
        "rm -rf .git; mkdir -p .git/hooks; echo x > .git/hooks/post-commit",
        "mv .git old; mkdir -p .git/hooks; echo x > .git/hooks/post-commit",
        "echo x > .git/hooks/post-commit",
        "echo x > new; mv -f new .env",
        "mkdir new; mv -T new .git/hooks",
        "chmod 777 .env; chown 1:1 .env; touch .env",
        "umount .env; cat .env",
    ],
)
def test_a_denied_name_is_not_given_to_something_else(caps: CapabilitySet, work: Path, attempt: str) -> None:
    before = os.stat(work / ".env")
    result = shell(caps, attempt, cwd=str(work))
    assert result.exit_code != 0, result.stdout
    after = os.stat(work / ".env")
    assert (before.st_ino, before.st_mode, before.st_uid, before.st_mtime_ns) == (
        after.st_ino,
        after.st_mode,
        after.st_uid,
        after.st_mtime_ns,
    )


def test_everything_else_works(caps: CapabilitySet, work: Path) -> None:
    script = "echo a > deep/er/new && mv deep/er/new deep/er/other && cat deep/er/other && rm deep/er/other && ls -A"
    result = shell(caps, script, cwd=str(work))
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split()[0] == b"a"


def test_git_works_beside_denied_hooks(caps: CapabilitySet, work: Path) -> None:
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.allow_file("/dev/urandom", AccessMode.READ)
    identity = "-c user.name=n -c user.email=e"
    script = (
        f"git init -q . && git add deep/er/file && git {identity} commit -qm one && git branch two "
        "&& git checkout -q two && git status --porcelain -uno && git log --oneline | wc -l"
    )
    (work / "deep" / "er" / "file").write_text("text")
    env = [("PATH", "/usr/bin:/bin"), ("HOME", str(work)), ("GIT_TEMPLATE_DIR", ""), ("GIT_CONFIG_NOSYSTEM", "1")]
    result = shell(caps, script, cwd=str(work), env=env)
    assert (result.exit_code, result.stdout.strip()) == (0, b"1"), result.stderr


def test_the_answers_and_the_record_say_so(caps: CapabilitySet, work: Path) -> None:
    query = QueryContext(caps)
    answer = query.query_path(work / ".git" / "hooks" / "new", AccessMode.WRITE)
    assert answer == {
        "status": "denied",
        "reason": "denied_path",
        "denied_path": str(work / ".git" / "hooks"),
    }
    assert query.query_path(work / ".git", AccessMode.READ)["status"] == "allowed"
    record = nono_py.plan(caps)
    assert record["isolation"] == "namespaces"
    assert {"path": str(work / ".env"), "enforced_by": "mount namespace"} in record["denials"]
    assert caps.denied_paths == [str(work / path) for path in (".env", ".git/hooks", "deep/er/key")]
    assert "[denied]" in caps.summary()


def test_the_diagnostics_do_not_suggest_a_grant(caps: CapabilitySet, work: Path) -> None:
    result = shell(caps, f"cat {work}/.env", cwd=str(work))
    (hint,) = [d for d in result.session_diagnostics()["diagnostics"] if d.get("path") == str(work / ".env")]
    assert hint["remediation"]["kind"] == "check_policy"


def test_a_denial_that_no_grant_covers_takes_no_view(work: Path) -> None:
    caps = caps_for(work)
    caps.deny_path("/etc/shadow")
    assert nono_py.plan(caps)["isolation"] == "process"
    assert shell(caps, "cat .env", cwd=str(work)).stdout == SECRET.encode()


def test_what_no_view_can_cover_takes_the_supervisor(work: Path) -> None:
    needs_supervisor()
    os.link(work / "deep" / "er" / "key", work / "other")
    for path in (".envrc", "deep/er/key"):  # not there; under two names
        caps = caps_for(work)
        caps.deny_path(work / path)
        record = nono_py.plan(caps)
        assert record["isolation"] == "process"
        assert record["denials"] == [{"path": str(work / path), "enforced_by": "supervisor"}]


def test_a_link_is_denied_where_it_points(work: Path, tmp_path: Path) -> None:
    needs_namespaces()
    (work / "link").symlink_to(work / ".env")
    caps = caps_for(work)
    caps.deny_path(work / "link")
    assert caps.denied_paths == [str(work / ".env")]
    assert SECRET.encode() not in shell(caps, "cat link .env", cwd=str(work)).stdout


def test_without_a_view_it_takes_the_supervisor(work: Path) -> None:
    caps = caps_for(work)
    caps.deny_path(work / ".env")
    if can_supervise():
        record = nono_py.plan(caps, isolation="process")
        assert record["denials"] == [{"path": str(work / ".env"), "enforced_by": "supervisor"}]
    else:
        with pytest.raises(RuntimeError, match=f"the denial of {work}/.env.* takes a supervisor, and this host allows none"):
            nono_py.plan(caps, isolation="process")


@needs_root
def test_with_another_uid_it_is_refused_without_a_view(work: Path) -> None:
    caps = caps_for(work)
    caps.deny_path(work / ".env")
    result = shell(caps, "echo started", isolation="process", uid=65534)
    assert (result.exit_code, result.stdout) == (126, b"")
    assert f"the denial of {work}/.env".encode() in result.stderr


def test_apply_refuses_it(work: Path) -> None:
    caps = caps_for(work)
    caps.deny_path(work / ".env")
    with pytest.raises(RuntimeError, match="which a running process cannot be given"):
        nono_py.apply(caps)


def test_a_state_does_not_lose_it(work: Path) -> None:
    caps = caps_for(work)
    caps.deny_path(work / ".env")
    with pytest.raises(ValueError, match="denied paths"):
        nono_py.SandboxState.from_caps(caps)


# --- changes from outside ------------------------------------------------------------------------------


def replace(path: Path) -> None:
    new = path.with_name("new")
    new.write_text(SECRET + " two")
    new.rename(path)


def test_replaced_between_two_commands_it_is_covered_again(caps: CapabilitySet, work: Path) -> None:
    for _ in range(5):
        assert shell(caps, "cat .env", cwd=str(work)).stdout == b""
        replace(work / ".env")


@pytest.mark.parametrize("how", ["sync", "async"])
def test_replaced_while_a_command_runs_the_command_is_ended(caps: CapabilitySet, work: Path, how: str) -> None:
    """The kernel takes the cover away with what it covered: nobody may see what is there then."""
    script = "echo > started; for i in {1..600}; do sleep 0.1; done; cat .env"

    def replace_once_started() -> None:
        while not (work / "started").exists():
            pass
        replace(work / ".env")

    thread = threading.Thread(target=replace_once_started)
    thread.start()
    if how == "sync":
        result = shell(caps, script, cwd=str(work))
    else:
        command = ["/bin/bash", "-c", script]
        result = asyncio.run(sandboxed_exec_async(caps, command, cwd=str(work), env=[("PATH", "/usr/bin:/bin")]))
    thread.join()
    assert result.signal == 9
    assert SECRET.encode() not in result.stdout
    assert b"a denied path was replaced from outside" in result.stderr
