"""What the constructor refuses, grants and holds."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nono_py import AccessMode, CapabilitySet

import langchain_nono
from langchain_nono import NonoSandbox

POLICY = '{"groups": {"g": {"description": "d", "allow": {"read": [%s], "readwrite": [%s]}}}}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"timeout": 0}, "timeout must be positive, got 0"),
        ({"timeout": -1}, "timeout must be positive, got -1"),
        ({"policy_groups": ["g"]}, "policy_groups requires policy_json"),
        ({"policy_json": "{}"}, "policy_json requires at least one policy group"),
        ({"policy_json": "{}", "policy_groups": []}, "policy_json requires at least one policy group"),
        ({"proxy_config": object(), "block_network": False}, "proxy_config requires block_network=True"),
    ],
)
def test_contradictions_are_refused_before_anything_is_touched(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NonoSandbox(working_dir="/nonexistent", **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"proxy_config": object()},
        {"snapshot_session_dir": "/tmp/s"},
        {"snapshot_tracked_paths": ["/tmp"]},
        {"snapshot_exclusion": object()},
        {"snapshot_max_entries": 5},
        {"snapshot_max_bytes": 5},
    ],
)
def test_what_does_not_exist_yet_is_refused_by_name(workspace: Path, arguments: Any) -> None:
    with pytest.raises(NotImplementedError, match=next(iter(arguments))):
        NonoSandbox(working_dir=str(workspace), **arguments)


def test_an_unknown_home_is_refused(workspace: Path) -> None:
    with pytest.raises(ValueError, match="home must be 'auto', 'private' or 'caller', got 'mine'"):
        NonoSandbox(working_dir=str(workspace), home="mine")  # type: ignore[arg-type]


def test_public_names() -> None:
    assert sorted(langchain_nono.__all__) == [
        "AsyncOutputStream",
        "Job",
        "JobStatus",
        "NonoSandbox",
        "OutputChunk",
        "OutputStream",
        "ThreadSandboxes",
        "describe_execute_failure",
        "describe_file_transfer_error",
    ]


def test_missing_directories_and_files_are_refused(workspace: Path) -> None:
    file = workspace / "file"
    file.touch()
    with pytest.raises(FileNotFoundError):
        NonoSandbox(working_dir=str(workspace / "missing"))
    with pytest.raises(FileNotFoundError):
        NonoSandbox(working_dir=str(workspace), allow_read=["/nonexistent"])
    with pytest.raises(ValueError):
        NonoSandbox(working_dir=str(workspace), allow_write=[str(file)])


def grants(sandbox: NonoSandbox) -> dict[str, AccessMode]:
    return {grant.resolved: grant.access for grant in sandbox.capabilities.fs_capabilities()}


def test_unix_sockets(tmp_path: Path, workspace: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    paths = [str(directory), str(directory / "later.sock")]
    with NonoSandbox(working_dir=str(workspace), allow_unix_sockets=paths) as sandbox:
        granted = [(grant.resolved, grant.scope, grant.mode) for grant in sandbox.capabilities.unix_sockets]
    assert granted == [(paths[0], "dir_subtree", "connect"), (paths[1], "file", "connect")]
    (workspace / "file").touch()
    with pytest.raises(ValueError, match="Expected a Unix socket but got a file"):
        NonoSandbox(working_dir=str(workspace), allow_unix_sockets=[str(workspace / "file")])
    with pytest.raises(FileNotFoundError):
        NonoSandbox(working_dir=str(workspace), allow_unix_sockets=["/nonexistent/s"])


def test_grants(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("ws", "r", "w", "rw")]
    for path in paths:
        path.mkdir()
    ws, r, w, rw = map(str, paths)
    with NonoSandbox(working_dir=ws, allow_read=[r], allow_write=[w], allow_readwrite=[rw]) as sandbox:
        granted = grants(sandbox)
        assert granted[ws] == granted[rw] == AccessMode.READ_WRITE
        assert granted[r] == AccessMode.READ
        assert granted[w] == AccessMode.WRITE
        assert granted["/usr"] == AccessMode.READ
        assert granted["/dev/null"] == AccessMode.READ_WRITE
        assert sandbox.capabilities.is_network_blocked
        for prefix in (sys.prefix, sys.base_prefix):
            assert any(os.path.realpath(prefix).startswith(path) for path in granted)


@pytest.mark.parametrize(
    "path", ["/", "/etc", "/etc/passwd", "/etc/ssl/private", "/proc", "/tmp", "/dev", "/root", "/home"]
)
def test_nothing_that_tells_who_the_user_is_is_granted(sandbox: NonoSandbox, path: str) -> None:
    assert path not in grants(sandbox)
    assert not sandbox.capabilities.path_covered(path)


def test_the_home_is_not_granted(sandbox: NonoSandbox) -> None:
    assert not sandbox.capabilities.path_covered(os.path.expanduser("~"))


def test_network_is_left_open_on_request(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), block_network=False) as sandbox:
        assert not sandbox.capabilities.is_network_blocked


def test_each_sandbox_has_an_id_of_its_own(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace)) as one, NonoSandbox(working_dir=str(workspace)) as two:
        assert len(one.id) == len(two.id) == 36
        assert one.id != two.id
        assert {one: 1, two: 2}[two] == 2


def test_policy_groups_grant_commands_and_transfers(workspace: Path, tmp_path: Path) -> None:
    data, scratch = tmp_path / "data", tmp_path / "scratch"
    for directory in (data, scratch):
        directory.mkdir()
    (data / "in.txt").write_text("in")
    policy = POLICY % (f'"{data}"', f'"{scratch}"')
    with NonoSandbox(working_dir=str(workspace), policy_json=policy, policy_groups=["g"]) as sandbox:
        assert sandbox.execute(f"cat {data}/in.txt > {scratch}/out.txt").exit_code == 0
        assert sandbox.download_files([f"{scratch}/out.txt"])[0].content == b"in"
        assert sandbox.upload_files([(f"{data}/x", b"")])[0].error == "permission_denied"


def test_policy_errors_propagate(workspace: Path) -> None:
    with pytest.raises(ValueError, match="Unknown policy group"):
        NonoSandbox(working_dir=str(workspace), policy_json=POLICY % ("", ""), policy_groups=["missing"])


def test_policy_is_looked_up_where_users_patch_it(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def load_policy(document: str) -> Any:
        def resolve_groups(groups: list[str], caps: CapabilitySet) -> Any:
            asked.append((document, groups))
            return SimpleNamespace(deny_paths=[], needs_unlink_overrides=False)

        return SimpleNamespace(resolve_groups=resolve_groups)

    monkeypatch.setattr("langchain_nono.sandbox.load_policy", load_policy)
    NonoSandbox(working_dir=str(workspace), policy_json="DOC", policy_groups=["a", "b"]).close()
    assert asked == [("DOC", ["a", "b"])]


def test_denied_paths_are_kept_from_transfers_and_toolchains(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    (data / "private").mkdir(parents=True)
    (data / "private" / "key").write_text("k")
    denied = f"{data}/private"

    def load_policy(_: str) -> Any:
        def resolve_groups(_: list[str], caps: CapabilitySet) -> Any:
            caps.allow_path(str(data), AccessMode.READ)
            return SimpleNamespace(deny_paths=[denied, "/root/.pyenv"], needs_unlink_overrides=False)

        return SimpleNamespace(resolve_groups=resolve_groups)

    monkeypatch.setattr("langchain_nono.sandbox.load_policy", load_policy)
    with NonoSandbox(
        working_dir=str(workspace), allow_read=[str(data)], policy_json="D", policy_groups=["g"]
    ) as sandbox:
        assert sandbox.download_files([f"{denied}/key"])[0].error == "permission_denied"
        assert "/root/.pyenv" not in grants(sandbox)


def test_a_closed_sandbox_refuses(workspace: Path) -> None:
    sandbox = NonoSandbox(working_dir=str(workspace))
    sandbox.close()
    sandbox.close()
    with pytest.raises(RuntimeError, match="closed"):
        sandbox.execute("true")
    assert sandbox.upload_files([(f"{workspace}/x", b"")])[0].error == "the sandbox is closed"
    assert sandbox.ls(str(workspace)).error == f"Path '{workspace}': the sandbox is closed"


def test_descriptors_are_not_leaked(workspace: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        NonoSandbox(working_dir=str(workspace)).close()
        NonoSandbox(working_dir=str(workspace))
    assert len(os.listdir("/proc/self/fd")) <= before + 2
