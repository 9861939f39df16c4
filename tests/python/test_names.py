"""Denied patterns and protected names as values: what they mean, what a plan makes of them, what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, QueryContext

from support import can_supervise, caps_for, needs_root, needs_supervisor, shell

READ, WRITE, BOTH = AccessMode.READ, AccessMode.WRITE, AccessMode.READ_WRITE
NAMES = ["git", "direnv", "editors", "agents", "shell", "login", "packages", "venv"]


def reason(caps: CapabilitySet, path: Path | str, mode: AccessMode = READ) -> str:
    return QueryContext(caps).query_path(path, mode)["reason"]


# --- patterns ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "closed", "open_"),
    [
        ("**/.env", ["a/.env", ".env", "a/b/.ENV/below"], [".envrc", "a/env"]),
        ("{work}/**/*.pem", ["x.pem", "a/b/x.pem", "a/.pem"], ["x.pem2", "pem"]),
        ("{work}/*.pem", ["x.pem", "x.pem/below"], ["a/x.pem"]),
        ("{work}/a?/[xy]*", ["ab/x1", "ab/y"], ["a/x", "ab/z"]),
        ("**/secrets/**/key", ["secrets/key", "a/secrets/b/c/key"], ["key", "secrets/keys"]),
        ("{work}/not/there", ["not/there", "not/there/x"], ["not"]),
    ],
)
def test_what_a_pattern_closes(work: Path, pattern: str, closed: list[str], open_: list[str]) -> None:
    caps = caps_for(work)
    caps.deny_path(pattern.format(work=work))
    for mode in (READ, WRITE, BOTH):
        for path in closed:
            assert reason(caps, work / path, mode) == "denied_path", path
        for path in open_:
            assert reason(caps, work / path, mode) == "granted_path", path


def test_a_pattern_without_a_slash_in_front_belongs_here(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work)
    caps = caps_for(work)
    caps.deny_path("*.pem")
    caps.deny_path("sub/*.key")
    assert caps.denied_paths == [f"{work}/*.pem", f"{work}/sub/*.key"]
    monkeypatch.chdir("/")
    assert reason(caps, work / "x.pem") == "denied_path"
    assert reason(caps, work / "sub" / "x.pem") == "granted_path"


def test_names_of_any_bytes(work: Path) -> None:
    caps = caps_for(work)
    caps.deny_path("**/*.pem")
    for name in (b"a\nb.pem", b"\xff\xfe.pem", "é.pem".encode()):
        assert reason(caps, os.fsdecode(os.fsencode(work) + b"/" + name)) == "denied_path"


@pytest.mark.parametrize("pattern", ["**", "/**", "**/../*", "**/[a", "**/[[:alpha:]]", "**/a\0*", "**/[z-a]"])
def test_patterns_that_name_nothing_or_everything_are_refused(pattern: str) -> None:
    caps = CapabilitySet()
    with pytest.raises(ValueError, match="Invalid pattern"):
        caps.deny_path(pattern)
    assert caps.denied_paths == []


def test_the_same_denial_twice_is_one(work: Path) -> None:
    caps = CapabilitySet()
    for path in ("**/.env", "/**/.env", work, f"{work}/.", "**/.env"):
        caps.deny_path(path)
    assert caps.denied_paths == ["**/.env", str(work)]


def test_a_granted_path_is_no_pattern(work: Path) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        CapabilitySet().allow_path(work / "*", READ)
    assert "patterns are allow_glob's" in "".join(getattr(refused.value, "__notes__", ["patterns are allow_glob's"]))


# --- allow inside deny ---------------------------------------------------------------------------------


def test_a_grant_inside_a_denied_directory_beats_it(work: Path) -> None:
    (work / "secrets" / "public").mkdir(parents=True)
    caps = caps_for(work)
    caps.deny_path(work / "secrets")
    caps.allow_path(work / "secrets" / "public", READ)
    query = QueryContext(caps)
    assert query.query_path(work / "secrets" / "public" / "x", READ) == {
        "status": "allowed",
        "reason": "granted_path",
        "granted_path": str(work / "secrets" / "public"),
        "access": "read",
        "beats_denial": str(work / "secrets"),
    }
    assert query.query_path(work / "secrets" / "public" / "x", WRITE) == {
        "status": "denied",
        "reason": "denied_path",
        "denied_path": str(work / "secrets"),
    }
    assert reason(caps, work / "secrets" / "x") == "denied_path"


def test_a_grant_that_names_what_a_pattern_denies_beats_it(work: Path) -> None:
    (work / ".env").write_text("")
    for denied, expected in (("**/.env", "granted_path"), (str(work / ".env"), "denied_path")):
        caps = caps_for(work)
        caps.deny_path(denied)
        caps.allow_file(work / ".env", BOTH)
        assert reason(caps, work / ".env", BOTH) == expected
        assert reason(caps, work / "sub" / ".env") == ("denied_path" if "*" in denied else "granted_path")


# --- protected names -----------------------------------------------------------------------------------


def test_nothing_is_protected_until_somebody_asks() -> None:
    caps = CapabilitySet()
    assert caps.protected_names == []
    caps.protect(["agents", "git"])
    assert caps.protected_names == ["git", "agents"]
    caps.unprotect("git")
    assert caps.protected_names == ["agents"]
    caps.protect()
    assert caps.protected_names == NAMES
    assert f"protected: {', '.join(NAMES)}" in caps.summary()
    caps.unprotect("all")
    assert caps.protected_names == []


def test_unknown_names_are_refused_with_the_known() -> None:
    caps = CapabilitySet()
    for call in (lambda: caps.protect(["git", "hooks"]), lambda: caps.unprotect("hooks")):
        with pytest.raises(ValueError, match="Unknown protected name: hooks") as refused:
            call()
        for note in getattr(refused.value, "__notes__", []):
            assert note == f"Known are {', '.join(NAMES)} and all."
    assert caps.protected_names == []


def test_protected_names_can_be_read_and_not_changed(work: Path) -> None:
    caps = caps_for(work)
    caps.protect()
    (work / ".git").mkdir()
    for path, name in ((".git/hooks/x", "git"), ("a/.git/config", "git"), (".claude/settings.json", "agents"), ("a/.envrc", "direnv")):
        assert reason(caps, work / path) == "granted_path"
        answer = QueryContext(caps).query_path(work / path, WRITE)
        assert (answer["reason"], answer.get("protected_by")) == ("denied_path", name)
    for path in (".git/index", ".git/refs/heads/x", "src/main.c", ".gitignore"):
        assert reason(caps, work / path, BOTH) == "granted_path"
    caps.unprotect("git")
    assert reason(caps, work / ".git" / "hooks" / "x", WRITE) == "granted_path"


def test_a_directory_that_is_no_repository_does_not_become_one(work: Path) -> None:
    caps = caps_for(work)
    caps.protect(["git"])
    answer = QueryContext(caps).query_path(work / ".git" / "objects", WRITE)
    assert answer.get("denied_path") == str(work / ".git")
    (work / ".git").mkdir()
    assert reason(caps, work / ".git" / "objects", WRITE) == "granted_path"


def test_a_worktree_leads_to_its_repository(work: Path) -> None:
    tree, common = work / "tree", work / "main"
    tree.mkdir()
    (common / "worktrees" / "tree").mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {common}/worktrees/tree\n")
    (common / "worktrees" / "tree" / "commondir").write_text("../..\n")
    caps = caps_for(tree, common)
    caps.protect(["git"])
    for path in (tree / ".git", common / "config", common / "hooks" / "x", common / "worktrees" / "tree" / "commondir"):
        assert reason(caps, path, WRITE) == "denied_path", path
    assert reason(caps, common / "worktrees" / "tree" / "HEAD", WRITE) == "granted_path"


def test_a_grant_that_names_it_opens_a_protected_name(work: Path) -> None:
    (work / ".claude").mkdir()
    caps = caps_for(work, work / ".claude")
    caps.protect()
    assert reason(caps, work / ".claude" / "x", WRITE) == "granted_path"
    assert reason(caps, work / "sub" / ".claude", WRITE) == "denied_path"


def test_a_state_does_not_lose_them(work: Path) -> None:
    caps = caps_for(work)
    caps.protect(["git"])
    with pytest.raises(ValueError, match="protected names"):
        nono_py.SandboxState.from_caps(caps)


# --- plans ---------------------------------------------------------------------------------------------


def boundary(record: dict, name: str) -> dict:
    (found,) = [b for b in record["boundaries"] if b["boundary"] == name]
    return found


def test_the_record_names_the_rules_and_the_calls(work: Path) -> None:
    needs_supervisor()
    caps = caps_for(work)
    caps.protect(["git", "agents"])
    record = nono_py.plan(caps)
    assert record["isolation"] == "process"
    assert "denials" not in record
    assert list(record["protected"]) == ["git", "agents"]
    assert str(work / ".git") in record["protected"]["git"]
    assert "14 rules (git, agents)" in boundary(record, "protected names")["detail"]
    calls = boundary(record, "calls that name files")
    assert calls["enforced_by"] == "supervisor"
    assert "openat to write or create, " in calls["detail"]
    for call in ("openat2", "mkdirat", "mknodat", "renameat2", "linkat", "symlinkat", "unlinkat", "truncate"):
        assert call in calls["detail"]

    caps.deny_path("**/.env")
    record = nono_py.plan(caps)
    assert record["denials"] == [{"path": "**/.env", "enforced_by": "supervisor"}]
    assert "executing one is not refused" in boundary(record, "denied names inside grants")["detail"]
    assert "to write or create" not in boundary(record, "calls that name files")["detail"]


def test_what_closes_nothing_takes_nothing(work: Path) -> None:
    caps = CapabilitySet()
    caps.allow_path("/usr", READ)
    caps.allow_file("/dev/null", BOTH)
    caps.protect()
    caps.deny_path(work / "*.pem")
    names = [b["boundary"] for b in nono_py.plan(caps)["boundaries"]]
    assert "calls that name files" not in names
    assert nono_py.plan(caps)["denials"] == [{"path": f"{work}/*.pem", "enforced_by": "landlock: not granted"}]


def test_a_process_that_confines_itself_is_refused(work: Path) -> None:
    caps = caps_for(work)
    caps.protect()
    with pytest.raises(RuntimeError, match="the protection of .* takes a supervisor, which a running process cannot be given"):
        nono_py.apply(caps)


@needs_root
def test_another_uid_is_refused_with_the_way_out(work: Path) -> None:
    caps = caps_for(work)
    caps.protect()
    result = shell(caps, "echo started", uid=65534)
    assert (result.exit_code, result.stdout) == (126, b"")
    assert b"a command with a uid or gid of its own has none" in result.stderr
    assert b'--unprotect all, or unprotect=["all"]' in result.stderr
    caps.unprotect("all")
    nono_py.plan(caps, uid=65534)


def test_a_name_below_proc_is_refused(work: Path) -> None:
    caps = caps_for("/proc")
    caps.deny_path("/proc/**/mem")
    with pytest.raises(RuntimeError, match="each sandbox has a /proc of its own"):
        nono_py.plan(caps, isolation="namespaces" if not can_supervise() else "process")


# --- policies and NonoSandbox --------------------------------------------------------------------------


def sandbox(work: Path, **options: object):  # type: ignore[no-untyped-def]
    langchain_nono = pytest.importorskip("langchain_nono", reason="expected: langchain_nono is not installed")
    return langchain_nono.NonoSandbox(working_dir=str(work), inherit_toolchains=False, **options)


def test_nono_sandbox_protects_all_by_default(work: Path) -> None:
    with sandbox(work) as box:
        assert box.capabilities.protected_names == NAMES
    with sandbox(work, unprotect=["git", "venv"]) as box:
        assert box.capabilities.protected_names == NAMES[1:-1]
    with sandbox(work, unprotect=["all"]) as box:
        assert box.capabilities.protected_names == []
    with pytest.raises(ValueError, match="Unknown protected name"):
        sandbox(work, unprotect=["hooks"])


def test_its_transfers_keep_to_denials_and_protected_names(work: Path) -> None:
    (work / "sub" / ".git").mkdir(parents=True)
    (work / "sub" / ".git" / "config").write_text("config")
    (work / "sub" / "x.pem").write_text("key")
    with sandbox(work, deny=["**/*.pem"]) as box:
        assert box.download_files([f"{work}/sub/.git/config"])[0].content == b"config"
        for path in ("sub/.git/config", "sub/.git/hooks/x", ".git/config", "sub/.envrc", "new.pem", "sub/x.PEM/y"):
            assert box.upload_files([(f"{work}/{path}", b"x")])[0].error == "permission_denied", path
        assert box.download_files([f"{work}/sub/x.pem"])[0].error == "permission_denied"
        assert box.edit(f"{work}/sub/.git/config", "config", "other").error
        assert box.upload_files([(f"{work}/sub/.git/index", b"x")])[0].error is None
    assert (work / "sub" / ".git" / "config").read_text() == "config"


def test_a_policys_denials_are_denials(work: Path) -> None:
    (work / "private").mkdir()
    policy = json.dumps(
        {
            "meta": {"version": 1, "schema_version": "1"},
            "groups": {"g": {"description": "d", "allow": {"readwrite": [str(work)]}, "deny": {"access": [f"{work}/private", f"{work}/not/there"]}}},
        }
    )
    resolved = nono_py.load_policy(policy).resolve_groups(["g"], caps := CapabilitySet())
    with pytest.raises(RuntimeError, match="Landlock deny-overlap is not enforceable on Linux"):
        nono_py.validate_deny_overlaps(resolved.deny_paths, caps)
    with sandbox(work, policy_json=policy, policy_groups=["g"]) as box:
        assert box.capabilities.denied_paths == [f"{work}/private", f"{work}/not/there"]
        assert box.upload_files([(f"{work}/not/there", b"")])[0].error == "permission_denied"
