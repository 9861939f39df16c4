"""Commands: how they are launched, what comes back, what is left behind."""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from langchain_nono import NonoSandbox

ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER")


def processes(word: str) -> list[str]:
    """Command lines on this machine that contain `word`."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if word in line and int(pid) != os.getpid():
            found.append(line)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The keyword arguments of every launch, which then does nothing."""
    calls: list[dict[str, Any]] = []

    def sandboxed_exec(**arguments: Any) -> Any:
        calls.append(arguments)
        return SimpleNamespace(stdout=b"out", stderr=b" err ", exit_code=3)

    monkeypatch.setattr("langchain_nono.sandbox.sandboxed_exec", sandboxed_exec)
    return calls


def test_commands_are_launched_by_keyword(
    sandbox: NonoSandbox, workspace: Path, launched: list[dict[str, Any]]
) -> None:
    result = sandbox.execute("echo hi", timeout=7)
    assert (result.output, result.exit_code, result.truncated) == ("out\n<stderr>err</stderr>", 3, False)
    (call,) = launched
    assert call["caps"] is sandbox.capabilities
    assert call["command"] == ["/bin/bash", "-c", "echo hi"]
    assert call["cwd"] == os.path.realpath(workspace)
    assert call["timeout_secs"] == 7.0
    assert call["inherit_env"] is False
    sandbox.execute("true")
    assert launched[1]["timeout_secs"] == 1800.0


def test_limits_are_passed_on(workspace: Path, launched: list[dict[str, Any]]) -> None:
    with NonoSandbox(
        working_dir=str(workspace), isolation="landlock", max_memory_bytes=1 << 30, max_processes=50
    ) as sandbox:
        sandbox.execute("true")
    assert launched[0]["isolation"] == "landlock"
    assert launched[0]["max_memory_bytes"] == 1 << 30
    assert launched[0]["max_processes"] == 50


@pytest.mark.parametrize("timeout", [0, -1])
def test_timeouts_must_be_positive(sandbox: NonoSandbox, timeout: int) -> None:
    with pytest.raises(ValueError, match=f"timeout must be positive, got {timeout}"):
        sandbox.execute("true", timeout=timeout)


@pytest.mark.parametrize("command", ["echo a\0b", "echo \ud800"])
def test_impossible_commands_are_value_errors(sandbox: NonoSandbox, command: str) -> None:
    """The SDK shows those to the model; any other exception would end the agent's run."""
    with pytest.raises(ValueError):
        sandbox.execute(command)
    assert sandbox.execute(f"echo {'x' * 200_000}").exit_code == 127


async def test_timeouts_must_be_positive_in_async_methods(sandbox: NonoSandbox) -> None:
    with pytest.raises(ValueError, match="timeout must be positive, got 0"):
        await sandbox.aexecute("true", timeout=0)


def test_only_harmless_variables_reach_the_command(
    sandbox: NonoSandbox, launched: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("PATH", "/nonexistent/bin:/usr/bin:relative::/bin")
    sandbox.execute("true")
    names = [name for name, _ in launched[0]["env"] if name in ENVIRONMENT]
    values = dict(launched[0]["env"])
    assert names == ["HOME", "PATH", "SHELL", "TMPDIR", "USER"]
    assert values["SHELL"] == "/bin/bash"
    assert values["PATH"] == "/usr/bin:/bin"
    assert "AWS_SECRET_ACCESS_KEY" not in values

    monkeypatch.delenv("PATH")
    sandbox.execute("true")
    names = [name for name, _ in launched[1]["env"] if name in ENVIRONMENT]
    assert names == ["HOME", "SHELL", "TMPDIR", "USER"]


def test_a_path_with_nothing_readable_becomes_the_usual_one(
    sandbox: NonoSandbox, launched: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    sandbox.execute("true")
    assert dict(launched[0]["env"])["PATH"].split(":")[-1] == "/bin"


def test_macs_get_their_certificates(
    sandbox: NonoSandbox, launched: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_nono.sandbox.platform.system", lambda: "Darwin")
    monkeypatch.setattr("langchain_nono.sandbox.os.path.exists", lambda path: True)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    sandbox.execute("true")
    assert launched[0]["env"][-1] == ("CURL_CA_BUNDLE", "/private/etc/ssl/cert.pem")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/own.pem")
    sandbox.execute("true")
    assert "CURL_CA_BUNDLE" not in dict(launched[1]["env"])


def test_commands_work_in_the_workspace_and_nowhere_else(
    sandbox: NonoSandbox, workspace: Path, outside: Path
) -> None:
    assert sandbox.execute("pwd").output.strip() == os.path.realpath(workspace)
    assert sandbox.execute("echo hello > file; cat file").output == "hello\n"
    assert (workspace / "file").read_text() == "hello\n"
    for command in (f"cat {outside}/secret.txt", "cat /etc/passwd", f"echo x > {outside}/secret.txt"):
        result = sandbox.execute(command)
        assert result.exit_code != 0
        assert "the secret" not in result.output and "root:" not in result.output
    assert (outside / "secret.txt").read_text() == "the secret"


def test_successful_commands_leave_stderr_empty(sandbox: NonoSandbox) -> None:
    assert sandbox.execute("echo hi").output == "hi\n"
    assert sandbox.execute("python3 -c 'print(1)'").output == "1\n"


def test_certificates_and_temporary_files_work(sandbox: NonoSandbox) -> None:
    count = sandbox.execute(
        "python3 -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 0)'"
    )
    if os.path.exists("/etc/ssl/certs/ca-certificates.crt"):
        assert count.output == "True\n"
    assert sandbox.execute('f=$(mktemp) && echo x > "$f" && cat "$f"').output == "x\n"


def test_nothing_stays_in_the_temporary_directory(workspace: Path) -> None:
    sandbox = NonoSandbox(working_dir=str(workspace))
    temporary = sandbox.execute("echo -n $TMPDIR").output
    assert os.stat(temporary).st_mode & 0o777 == 0o700
    sandbox.execute('mkdir -p "$TMPDIR/a/b" && touch "$TMPDIR/a/b/c" && chmod 0 "$TMPDIR/a/b" "$TMPDIR/a"')
    sandbox.execute('ln -s /usr "$TMPDIR/link"')
    sandbox.close()
    assert not os.path.exists(temporary)
    assert os.path.exists("/usr/bin")

    sandbox = NonoSandbox(working_dir=str(workspace))
    temporary = sandbox.execute("echo -n $TMPDIR").output
    del sandbox
    assert not os.path.exists(temporary)


def test_a_fork_of_the_caller_leaves_the_temporary_directory(sandbox: NonoSandbox) -> None:
    temporary = sandbox.execute("echo -n $TMPDIR").output
    pid = os.fork()
    if pid == 0:
        try:
            sandbox.close()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert os.path.exists(temporary)


def test_truncation_is_by_bytes(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), max_output_bytes=100) as sandbox:
        result = sandbox.execute("printf 'é%.0s' {1..200}; echo oops >&2")
        assert result.truncated
        assert len(result.output.encode()) <= 100
        assert result.output.endswith("<stderr>oops</stderr>")
        assert not sandbox.execute("printf 'x%.0s' {1..100}").truncated


def test_endless_output_is_bounded(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), max_output_bytes=1000) as sandbox:
        result = sandbox.execute("yes | head -c 20000000")
        assert result.exit_code == 0 and result.truncated
        assert result.output == "y\n" * 500


def test_multibyte_stderr_cut_never_raises(sandbox: NonoSandbox) -> None:
    script = "import sys; sys.stderr.buffer.write(b'x' * 65535 + '€'.encode() * 10)"
    result = sandbox.execute(f'python3 -c "{script}"')
    assert result.exit_code == 0
    assert result.output.endswith("€" * 10 + "</stderr>")


def test_timeouts_keep_what_was_written_and_kill_the_tree(sandbox: NonoSandbox) -> None:
    started = time.monotonic()
    result = sandbox.execute("echo early; setsid sleep 86407 & sleep 86407", timeout=1)
    assert result.exit_code == 124
    assert result.output.startswith("early")
    assert time.monotonic() - started < 5
    assert wait_until(lambda: not processes("sleep 86407"))


def test_no_daemon_outlives_its_command(sandbox: NonoSandbox) -> None:
    started = time.monotonic()
    result = sandbox.execute("setsid sleep 86408 > /dev/null 2>&1 & sleep 86408 & echo done")
    assert result.output == "done\n"
    assert time.monotonic() - started < 5
    assert wait_until(lambda: not processes("sleep 86408"))


async def test_async_commands_need_no_thread(sandbox: NonoSandbox) -> None:
    threads = threading.active_count()
    running = asyncio.create_task(sandbox.aexecute("sleep 0.3; echo done"))
    await asyncio.sleep(0.1)
    assert threading.active_count() == threads
    assert (await running).output == "done\n"


async def test_async_commands_run_at_the_same_time(sandbox: NonoSandbox) -> None:
    started = time.monotonic()
    results = await asyncio.gather(*(sandbox.aexecute(f"sleep 0.5; echo {i}") for i in range(8)))
    assert [result.output for result in results] == [f"{i}\n" for i in range(8)]
    assert time.monotonic() - started < 3


async def test_cancelling_aexecute_kills_the_tree(sandbox: NonoSandbox) -> None:
    running = asyncio.create_task(sandbox.aexecute("setsid sleep 86409 & sleep 86409"))
    await asyncio.sleep(0.5)
    assert processes("sleep 86409")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert wait_until(lambda: not processes("sleep 86409"))


def test_commands_read_no_input_of_the_caller(sandbox: NonoSandbox) -> None:
    assert sandbox.execute("cat; echo end", timeout=5).output == "end\n"


def test_a_granted_directory_swapped_for_a_link_grants_nothing_new(workspace: Path, outside: Path) -> None:
    inner = workspace / "inner"
    inner.mkdir()
    # With git protected it could not be swapped: nothing else may get the place of a granted repository.
    with NonoSandbox(working_dir=str(workspace), allow_readwrite=[str(inner)], unprotect=["git"]) as sandbox:
        sandbox.execute(f"rmdir inner && ln -s {outside} inner")
        assert inner.is_symlink()
        try:
            output = sandbox.execute("cat inner/secret.txt").output
        except RuntimeError as refusal:
            output = str(refusal)
        assert "the secret" not in output
        assert sandbox.download_files([f"{inner}/secret.txt"])[0].error == "permission_denied"
        assert sandbox.upload_files([(f"{inner}/secret.txt", b"x")])[0].error == "permission_denied"
    assert (outside / "secret.txt").read_text() == "the secret"


def test_a_denied_path_is_closed_to_commands_and_file_tools(workspace: Path) -> None:
    (workspace / ".env").write_text("the secret")
    (workspace / "code.py").write_text("code")
    with NonoSandbox(working_dir=str(workspace), deny=[str(workspace / ".env")]) as sandbox:
        response = sandbox.execute("cat code.py .env")
        if response.exit_code == 126 and "takes a supervisor" in response.output:
            pytest.skip("expected: this host allows neither namespaces nor a supervisor")
        assert "code" in response.output and "the secret" not in response.output
        assert sandbox.execute("rm -f .env").exit_code != 0
        assert sandbox.download_files([f"{workspace}/.env"])[0].error == "permission_denied"
        assert sandbox.upload_files([(f"{workspace}/.env", b"x")])[0].error == "permission_denied"
        assert "the secret" not in str(sandbox.read(f"{workspace}/.env"))
        assert "the secret" not in str(sandbox.grep("secret", str(workspace)))
    assert (workspace / ".env").read_text() == "the secret"


@pytest.mark.skipif(shutil.which("git") is None, reason="expected: git is not installed")
def test_git_works(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), unprotect=["git"]) as sandbox:  # git init, in working_dir itself
        response = sandbox.execute(
            "set -e; git init -q .; echo text > file; git add file; "
            "git -c user.name=n -c user.email=e commit -qm one; git branch two; "
            "git worktree add -q tree two; git -C tree status --porcelain; git log --oneline | wc -l"
        )
    assert response.exit_code == 0, response.output
    assert response.output.split("<stderr>")[0].strip() == "1"
