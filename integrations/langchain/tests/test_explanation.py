"""The line that says why a command failed, and the cases where there must be none."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from langchain_nono import NonoSandbox, describe_execute_failure
from langchain_nono.explanation import shown
from langchain_nono.output import combine, with_last_line
from langchain_nono.refusals import MAX_TEXT, find_mentions

Explain = Callable[..., str | None]


@pytest.fixture
def explain(sandbox: NonoSandbox) -> Explain:
    """The line for a command that printed this, without the part on what is granted."""

    def explain(text: str | bytes, command: str = "command", exit_code: int = 1) -> str | None:
        stderr = text if isinstance(text, bytes) else text.encode()
        assert sandbox._explainer
        line = sandbox._explainer.explain(command, exit_code, b"", stderr)
        return line and line.split(";")[0]

    return explain


def line_of(sandbox: NonoSandbox, command: str) -> str:
    """The line that a command's output ends with; empty when there is none."""
    output = sandbox.execute(command).output
    last = output.rsplit("\n", 1)[-1]
    assert output.count("[nono]") == last.count("[nono]")
    return last if last.startswith("[nono]") else ""


def test_a_refused_file_is_named_with_what_is_granted(
    sandbox: NonoSandbox, workspace: Path, outside: Path
) -> None:
    granted = f"readable: {workspace}, $HOME, $TMPDIR, system files; writable: {workspace}, $HOME, $TMPDIR"
    secret = outside / "secret.txt"
    for command, path, asked in (
        (f"cat {secret}", secret, "reading is not granted"),
        (f"cat {secret} 2>&1", secret, "reading is not granted"),
        (f"ls {outside}", outside, "reading is not granted"),
        (f"echo x > {secret}", secret, "writing is not granted"),
        (f"echo x >> '{secret}'", secret, "writing is not granted"),
        (f"touch {outside}/new", outside / "new", "writing is not granted"),
        ("mkdir /new", "/new", "writing is not granted"),
        ("cd /usr && touch new", "/usr/new", "writing is not granted"),
        (f"rm {secret}", secret, "writing is not granted"),
        (f"chmod 600 {secret}", secret, "writing is not granted"),
        (f"python3 -c 'open(\"{secret}\")'", secret, "neither reading nor writing is granted"),
        ('python3 -c \'open("/usr/bin/env", "a")\'', "/usr/bin/env", "writing is not granted"),
    ):
        assert line_of(sandbox, command) == f"[nono] {path}: {asked} here; {granted}", command


def test_a_refused_program_is_named(sandbox: NonoSandbox, outside: Path) -> None:
    program = outside / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    start = f"[nono] {program}: executing is not granted here; "
    assert line_of(sandbox, str(program)).startswith(start)
    assert line_of(sandbox, f"python3 -c 'import subprocess; subprocess.run([\"{program}\"])'").startswith(
        start
    )


def test_ordinary_failures_stay_as_they_are(sandbox: NonoSandbox, workspace: Path, outside: Path) -> None:
    (workspace / "closed").write_text("x")
    (workspace / "closed").chmod(0)
    for command in (
        "false",
        "cat missing",
        "cat /usr/missing",
        "echo text > program; chmod 644 program; ./program",
        "printf 'x: Permission denied\\n' >&2; exit 1",
        f"cat {outside}/secret.txt; true",
        f"cat {outside}/secret.txt || true",
        "echo 'git@example.com: Permission denied (publickey).'; exit 128",
        "echo 'cat: network: Permission denied'; mkdir network; exit 1",
        "python3 -c 'import os; os.rmdir(\".\")'",
    ):
        assert line_of(sandbox, command) == "", command
    assert sandbox.execute("printf out; printf err >&2; exit 3").output == "out\n<stderr>err</stderr>"


def test_what_the_plan_grants_is_never_said_to_be_refused(explain: Explain, workspace: Path) -> None:
    (workspace / "f").touch()
    for path in (workspace, workspace / "f", workspace / "new"):
        for text in ("cat: {}: Permission denied", "touch: cannot touch '{}': Permission denied"):
            assert explain(text.format(path)) is None
    assert explain("cat: f: Permission denied") is None
    assert explain("cat: /usr/bin/env: Permission denied", exit_code=126) is None


@pytest.mark.parametrize(
    "text",
    [
        "cat: {}: Permission denied\n",
        "cat: '{}': Permission denied\n",
        "cat: can't open '{}': Permission denied\n",
        "bash: line 1: {}: Permission denied\n",
        "sh: 1: cannot open {}: Permission denied\n",
        "PermissionError: [Errno 13] Permission denied: '{}'\n",
        "Error: EACCES: permission denied, open '{}'\n",
        "panic: open {}: permission denied\n",
        "error: couldn't read `{}`: Permission denied (os error 13)\n",
        "grep: {}: Operation not permitted\r\n",
        "head: cannot open \u2018{}\u2019 for reading: Permission denied\n",
        "java.io.FileNotFoundException: {} (Permission denied)\n",
        "cat: {}: Permission denied\nmake: *** [all] Error 1\n",
    ],
)
def test_complaints_of_all_sorts_of_programs(explain: Explain, outside: Path, text: str) -> None:
    line = explain(text.format(outside / "secret.txt"))
    assert line and line.startswith(f"[nono] {outside}/secret.txt: ") and "reading" in line


def test_the_latest_refusal_counts(explain: Explain) -> None:
    line = explain("cat: /etc/one: Permission denied\ncat: /etc/two: Permission denied\nfailed\n")
    assert line and "/etc/two" in line


def test_denied_and_protected_names_say_so(workspace: Path) -> None:
    (workspace / ".env").write_text("x")
    with NonoSandbox(working_dir=str(workspace), deny=["**/.env"]) as sandbox:
        if sandbox.execute("true").exit_code == 126:
            pytest.skip("expected: this host allows no supervisor")
        assert line_of(sandbox, "cat .env") == (
            f"[nono] {workspace}/.env: reading is not granted here, it is denied (**/.env)"
        )
        assert line_of(sandbox, "echo x > .envrc") == (
            f"[nono] {workspace}/.envrc: writing is not granted here, "
            "the name is protected (direnv); reading is"
        )


NETWORK_COMPLAINTS = {
    "curl: (6) Could not resolve host: example.com": "example.com",
    "fatal: unable to access 'https://example.com/x/': Could not resolve host: example.com": "example.com",
    "ssh: Could not resolve hostname example.com: Temporary failure in name resolution": "example.com",
    "Error: getaddrinfo ENOTFOUND example.com": "example.com",
    "Error: connect EPERM 192.0.2.1:443 - Local (0.0.0.0:0)": "192.0.2.1:443",
    "curl: (7) Failed to connect to 192.0.2.1 port 80 after 0 ms: Couldn't connect to server": "192.0.2.1:80",
    "HTTPSConnectionPool(host='pypi.org', port=443): Name or service not known": "pypi.org:443",
    "bash: line 1: /dev/tcp/192.0.2.1/80: Operation not permitted": "192.0.2.1:80",
    "ssh: connect to host example.com port 22: Network is unreachable": "example.com:22",
    "W: Temporary failure resolving 'deb.debian.org'": "deb.debian.org",
    "sudo: unable to resolve host box: Name or service not known": "box",
    "dial tcp: lookup proxy.golang.org: Temporary failure in name resolution": "proxy.golang.org",
    "failed to lookup address information: Temporary failure in name resolution": "any host",
    "connect: EACCES: permission denied": "any host",
    "could not connect to server: Network is unreachable": "any host",
    "ping: socket: Operation not permitted": "any host",
    "connect: Network is unreachable": "any host",
    "  sock = socket(af, socktype, proto)\nPermissionError: [Errno 1] Operation not permitted": "any host",
}


@pytest.mark.parametrize(("text", "host"), NETWORK_COMPLAINTS.items())
def test_a_refused_network_is_named(explain: Explain, workspace: Path, text: str, host: str) -> None:
    assert explain(text) == f"[nono] {host}: connecting is not granted here"
    assert explain(text, exit_code=124) == f"[nono] {host}: connecting is not granted here"
    with NonoSandbox(working_dir=str(workspace), block_network=False) as sandbox:
        assert sandbox._explainer
        assert sandbox._explainer.explain("command", 1, b"", text.encode()) is None


def test_the_host_may_stand_in_the_command(explain: Explain) -> None:
    text = "<urlopen error [Errno -3] Temporary failure in name resolution>"
    line = explain(text, "python3 get.py http://example.com:8080/x")
    assert line == "[nono] example.com:8080: connecting is not granted here"


def test_connections_fail_for_other_reasons_too(explain: Explain) -> None:
    assert explain("Failed to connect to bus: No such file or directory") is None
    assert explain("curl: (7) Failed to connect to x port 80", "curl --unix-socket /s http://x") is None


def test_a_refused_unix_socket_is_named(sandbox: NonoSandbox, outside: Path, explain: Explain) -> None:
    path = f"{outside}/s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        text = f"dial unix {path}: connect: permission denied"
        assert explain(text) == f"[nono] {path}: connecting is not granted here"
        with NonoSandbox(working_dir=str(outside.parent / "workspace"), allow_unix_sockets=[path]) as granted:
            assert granted._explainer
            assert granted._explainer.explain("command", 1, b"", text.encode()) is None


def test_a_timeout_is_not_the_fault_of_a_refused_file(explain: Explain) -> None:
    assert explain("cat: /etc/shadow: Permission denied", exit_code=124) is None


def test_a_sandbox_that_cannot_be_set_up_explains_itself(explain: Explain) -> None:
    assert explain("nono: cannot open '/x': Permission denied\n", exit_code=126) is None


def test_names_from_outside_are_escaped_and_bounded(explain: Explain) -> None:
    assert explain(b"cat: /data/\xff\xfe: Permission denied") == (
        "[nono] /data/\\xff\\xfe: reading is not granted here"
    )
    assert explain("cat: '/data/\x1b[2J\u202e it': Permission denied") == (
        "[nono] '/data/\\x1b[2J\\u202e it': reading is not granted here"
    )
    assert shown("/a: reading is granted") == "'/a: reading is granted'"
    assert shown("/it's") == "'/it\\'s'"
    long = explain(f"cat: /{'a' * 1000}: Permission denied")
    assert long and len(long) < 300
    assert explain(f"cat: /{'a' * 100_000}: Permission denied") is None
    assert explain("cat: /etc/sha\0dow: Permission denied") is None


def test_hostile_text_takes_no_time(explain: Explain, workspace: Path) -> None:
    (workspace / "f").touch()
    for text in ("'" * 10_000_000, "cat: f: Permission denied\n" * 400_000, "/" * MAX_TEXT, "a: " * MAX_TEXT):
        assert explain(text + "\nPermission denied '") is None
    assert len(list(find_mentions("x: Permission denied\n" * 10))) == 10


def test_relative_names_belong_where_the_command_is(explain: Explain, workspace: Path) -> None:
    (workspace / "sub").mkdir()
    protected = "touch: cannot touch '.envrc': Permission denied"
    line = explain(protected)
    assert line and line.startswith(f"[nono] {workspace}/.envrc: writing is not granted here, ")
    line = explain(protected, "cd sub && touch .envrc")
    assert line and line.startswith(f"[nono] {workspace}/sub/.envrc: ")
    assert explain(protected, "cd $X; touch .envrc") is None


def test_a_strict_view_says_nothing_of_what_is_outside(workspace: Path, outside: Path) -> None:
    (outside / "link").symlink_to(workspace)
    with NonoSandbox(working_dir=str(workspace), isolation="strict") as sandbox:
        assert sandbox._explainer
        lines = set()
        for path in (f"{outside}/secret.txt", f"{outside}/missing", f"{outside}/link", str(outside)):
            line = sandbox._explainer.explain("c", 1, b"", f"x: {path}: Permission denied".encode())
            lines.add((line or "").replace(path, ""))
    assert len(lines) == 1


def test_it_can_be_turned_off(workspace: Path, outside: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), explain_denials=False) as sandbox:
        assert sandbox.execute(f"cat {outside}/secret.txt").output.endswith("Permission denied</stderr>")


async def test_async_commands_are_explained_too(sandbox: NonoSandbox, outside: Path) -> None:
    output = (await sandbox.aexecute(f"cat {outside}/secret.txt")).output
    assert output.rsplit("\n", 1)[-1].startswith("[nono] ")


def test_the_line_counts_as_output(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), max_output_bytes=1000) as sandbox:
        result = sandbox.execute("yes | head -c 5000; cat /etc/passwd")
        assert result.truncated and len(result.output.encode()) <= 1000
        assert result.output.rsplit("\n", 1)[-1].startswith("[nono] /etc/passwd: reading is not granted here")
        assert not sandbox.execute("cat /etc/passwd").truncated
    with NonoSandbox(working_dir=str(workspace), max_output_bytes=100) as sandbox:
        assert "[nono]" not in sandbox.execute("cat /etc/passwd").output


@pytest.mark.parametrize(
    ("stdout", "limit", "joined"),
    [
        (b"", 100, ("why", False)),
        (b"out", 100, ("out\nwhy", False)),
        (b"out\n", 8, ("out\nwhy", False)),
        (b"output\n", 8, ("outp\nwhy", True)),
        (b"output\n", 7, ("output\n", False)),
    ],
)
def test_a_last_line_stands_alone(stdout: bytes, limit: int, joined: tuple[str, bool]) -> None:
    assert with_last_line(lambda size: combine(stdout, b"", size), "why", limit) == joined


def test_described_failures_follow_the_line(sandbox: NonoSandbox, workspace: Path) -> None:
    def described(command: str) -> str | None:
        result = sandbox.execute(command)
        return describe_execute_failure(result.exit_code, result.output)

    assert described("cat /etc/passwd") == "access denied by sandbox policy"
    assert described("echo > /dev/tcp/192.0.2.1/80") == "network access denied by sandbox policy"
    assert described("echo text > f; chmod 644 f; ./f") == "command failed inside sandbox"


@pytest.mark.skipif(os.geteuid() != 0, reason="expected: needs root to become an ordinary user")
def test_file_permissions_are_not_the_sandboxes_fault() -> None:
    """As an ordinary user, for whom permissions count: what the plan grants, but they do not."""
    script = (
        "import sys; from langchain_nono import NonoSandbox\n"
        "with NonoSandbox(working_dir=sys.argv[1], allow_read=[sys.argv[2]]) as sandbox:\n"
        "    for command in ('cat closed', 'cat /etc/shadow', 'echo > ' + sys.argv[2] + '/new'):\n"
        "        print(sandbox.execute(command).output.rsplit(chr(10), 1)[-1].split(';')[0])\n"
    )
    with tempfile.TemporaryDirectory() as directory:
        workspace, data = Path(directory, "ws"), Path(directory, "data")
        for path in (workspace, data):
            path.mkdir()
            os.chown(path, 65534, 65534)
        os.chmod(directory, 0o755)
        (workspace / "closed").touch(mode=0)
        try:
            result = subprocess.run(
                [sys.executable, "-c", script, str(workspace), str(data)],
                user=65534,
                group=65534,
                extra_groups=[],
                env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": ":".join(sys.path)},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                timeout=60,
            )
        except PermissionError:
            pytest.skip("expected: ordinary users cannot reach this interpreter")
    assert result.stdout.splitlines() == [
        "<stderr>cat: closed: Permission denied</stderr>",
        "[nono] /etc/shadow: reading is not granted here",
        f"[nono] {data}/new: writing is not granted here",
    ]
