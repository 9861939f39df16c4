"""`nono run`: exit codes, streams, signals, limits, what is enforced and what is left behind."""

import errno
import fcntl
import json
import os
import pty
import resource
import select
import shutil
import signal
import socket
import subprocess
import termios
import time

import pytest

PYTHON = "/usr/bin/python3"

# --- how it ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 2, 7, 126, 127, 255])
def test_exit_code_is_the_commands(nono, code):
    assert nono.run("--", "sh", "-c", f"exit {code}").returncode == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGUSR1])
def test_exit_code_of_a_killed_command(nono, number):
    assert nono.run("--", "sh", "-c", f"kill -{number:d} $$").returncode == 128 + number


def test_timeout(nono, marked):
    begin = time.monotonic()
    done = nono.run("--timeout", "0.3", "--", "sh", "-c", f"setsid sleep {marked.word} & sleep {marked.word}")
    assert done.returncode == 124
    assert time.monotonic() - begin < 10
    assert b"time was up" in done.stderr
    marked.wait_for(0)


def test_program_not_found(nono):
    done = nono.run("--", "no-such-program-here")
    assert (done.returncode, done.stdout) == (127, b"")
    assert done.stderr == b"nono: Program not found in PATH: no-such-program-here\n"


@pytest.mark.parametrize("words", [
    [], ["run"], ["run", "--"], ["frobnicate"], ["run", "--raed", "/", "--", "true"], ["run", "--read"],
    ["run", "--timeout", "soon", "--", "true"], ["run", "--memory", "1K", "--", "true"], ["why"],
    ["why", "--path", "/", "--op", "chmod"], ["setup", "--force"],
    ["run", "--read", "/nonexistent", "--", "true"], ["run", "--env", "LD_PRELOAD=/x.so", "--", "true"],
    ["run", "--env", "NOT_SET_ANYWHERE", "--", "true"], ["run", "--cwd", "/nonexistent", "--", "true"],
])
def test_wrong_command_lines(nono, words):
    done = nono(*words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"nono")


def test_files_and_directories_are_told_apart(nono):
    file = nono.file("file")
    done = nono.run("--allow", file, "--", "true")
    assert done.returncode == 2
    assert b"For one file use --allow-file." in done.stderr
    done = nono.run("--read-file", nono.home, "--", "true")
    assert done.returncode == 2
    assert b"use --read." in done.stderr


def test_version_and_help(nono):
    assert nono("--version").stdout.startswith(b"nono 0.")
    for words in (["--help"], ["run", "--help"], ["why", "--help"], ["setup", "--help"]):
        done = nono(*words)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"Example" in done.stdout
        assert max(map(len, done.stdout.decode().splitlines())) <= 100


# --- streams ---------------------------------------------------------------------------------------


def test_stdin_is_passed_on(nono):
    data = os.urandom(1 << 20)
    assert nono.run("--", "cat", input=data).stdout == data
    file = nono.home / "input"
    file.write_bytes(data)
    with file.open("rb") as opened:
        assert nono.run("--", "cat", stdin=opened).stdout == data


def test_closed_standard_streams(nono):
    done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "-", *nono.words("run", "--", "cat")], env=nono.environment,
                          capture_output=True, timeout=60, cwd=nono.home)
    assert (done.returncode, done.stdout) == (0, b"")
    code = "import os; print([fd for fd in range(3) if os.fstat(fd)])"
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "-", *nono.words("run", "--", PYTHON, "-c", code)],
                          env=nono.environment, capture_output=True, timeout=60, cwd=nono.home)
    assert (done.returncode, done.stdout) == (0, b"[0, 1, 2]\n")


def test_stdout_is_the_callers_own(nono):
    with (nono.home / "out").open("wb") as out:
        out.write(b"before\n")
        out.flush()
        assert nono.run("--", "echo", "inside", stdout=out, capture_output=False, stderr=subprocess.PIPE).returncode == 0
    assert (nono.home / "out").read_bytes() == b"before\ninside\n"


def test_stderr_comes_as_it_is_written(nono):
    child = nono.start("run", "--", "sh", "-c", "echo one >&2; read line; echo two >&2", stdin=subprocess.PIPE)
    assert child.stderr.readline() == b"one\n"
    child.stdin.write(b"\n")
    child.stdin.flush()
    assert child.stderr.readline() == b"two\n"
    child.communicate(timeout=10)
    assert child.returncode == 0


def test_stderr_is_complete_and_in_order(nono):
    lines = "".join(f"{number}\n" for number in range(200_000)).encode()
    done = nono.run("--", "sh", "-c", "seq 0 199999 >&2")
    assert done.stderr == lines


def test_stderr_into_a_file_keeps_what_is_there(nono):
    with (nono.home / "log").open("wb") as log:
        log.write(b"before\n")
        log.flush()
        nono.run("--", "sh", "-c", "echo inside >&2", stdout=subprocess.PIPE, stderr=log, capture_output=False)
        log.write(b"after\n")
    assert (nono.home / "log").read_bytes() == b"before\ninside\nafter\n"


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_reader_that_does_not_read_does_not_hold_up_the_deadline(nono, kind):
    if kind == "pipe":
        reader, writer = os.pipe()
    else:
        ours, theirs = socket.socketpair()
        reader, writer = ours.detach(), theirs.detach()
    try:
        child = nono.start("run", "--timeout", "0.5", "--", "sh", "-c", "yes >&2", stderr=writer)
        assert child.wait(timeout=20) == 124
        # The waiting mode of the shared description is the caller's business.
        assert not os.get_blocking(writer) is False
    finally:
        os.close(reader)
        os.close(writer)


def test_a_reader_that_is_gone_ends_the_command(nono):
    reader, writer = os.pipe()
    child = nono.start("run", "--", "sh", "-c", "yes >&2", stderr=writer)
    os.close(writer)
    os.read(reader, 1000)
    os.close(reader)
    assert child.wait(timeout=20) != 0


def test_descriptors_above_two_stay_outside(nono):
    secret = os.open("/etc/hostname", os.O_RDONLY)
    os.set_inheritable(secret, True)
    code = ("import os\nfor fd in range(3, 300):\n"
            "    try: os.fstat(fd)\n    except OSError: continue\n    print(fd)")
    done = nono.python([], code, pass_fds=[secret])
    os.close(secret)
    assert done.stdout == b""


# --- environment and directory -----------------------------------------------------------------------


def test_environment_is_built(nono):
    secrets = {"AWS_SECRET_ACCESS_KEY": "s", "SSH_AUTH_SOCK": "/x", "PYTHONPATH": "/x", "LC_TIME": "C", "TZ": "UTC",
               "CI": "true"}
    done = nono.run("--env", "A=1", "--env", "CI", "--", "env", environment=secrets)
    names = {line.split("=")[0] for line in done.stdout.decode().splitlines()}
    assert names == {"PATH", "HOME", "LANG", "LC_TIME", "TZ", "A", "CI"}


def test_directory(nono):
    nono.directory("inside")
    nono.file("inside/script", "#!/bin/sh\npwd -P\n", 0o755)
    done = nono.run("--read", nono.home, "--cwd", "inside", "--", "./script")
    assert done.stdout.decode().strip() == str(nono.home / "inside")
    assert nono.run("--", "pwd").stdout.decode().strip() == str(nono.home)


def on_a_terminal(nono, *words):
    """nono with a controlling terminal: the process, and the other end."""
    controller, terminal = pty.openpty()

    def take_over():
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

    child = nono.start(*words, stdin=terminal, stderr=terminal, preexec_fn=take_over)
    os.close(terminal)
    return child, controller


def test_no_controlling_terminal_inside(nono):
    code = "import os\ntry: os.open('/dev/tty', os.O_RDWR)\nexcept OSError as e: print(e.errno, os.isatty(0))"
    child, controller = on_a_terminal(nono, "run", "--allow", "/dev", "--", PYTHON, "-I", "-c", code)
    out, _ = child.communicate(timeout=20)
    os.close(controller)
    assert out == f"{errno.ENXIO} True\n".encode()


def test_an_interrupt_from_the_terminal(nono, marked):
    child, controller = on_a_terminal(nono, "run", "--", "sh", "-c", f"setsid sleep {marked.word} & read line; exit 5")
    marked.wait_for(1)
    os.write(controller, b"\x03")
    child.communicate(timeout=20)
    os.close(controller)
    assert child.returncode == 128 + signal.SIGINT
    marked.wait_for(0)


def test_input_from_the_terminal(nono):
    child, controller = on_a_terminal(nono, "run", "--", "sh", "-c", "read line; echo got $line; echo err >&2")
    os.write(controller, b"typed\n")
    out, _ = child.communicate(timeout=20)
    assert (child.returncode, out) == (0, b"got typed\n")
    assert b"err" in os.read(controller, 1000)
    os.close(controller)


# --- what is enforced --------------------------------------------------------------------------------


def test_grants(nono):
    for name in ("read", "write", "both", "closed"):
        nono.directory(name)
        nono.file(f"{name}/file", "text")
    flags = ["--read", "read", "--write", "write", "--allow", "both"]

    def can(code):
        return nono.python(flags, code).returncode == 0

    for name, readable, writable in [("read", True, False), ("write", False, True), ("both", True, True),
                                     ("closed", False, False)]:
        path = nono.home / name
        assert can(f"open('{path}/file').read()") == readable, name
        assert can(f"import os; os.listdir('{path}')") == readable, name
        assert can(f"open('{path}/file', 'a')") == writable, name
        assert can(f"open('{path}/new', 'x')") == writable, name
        assert can(f"import os; os.unlink('{path}/file')") == writable, name
    assert not can("open('/etc/passwd')")
    assert not can("open('/tmp/new', 'w')")


def test_file_grants(nono):
    for name in ("one", "two"):
        nono.file(name, "text")
    assert nono.run("--read-file", "one", "--", "cat", "one").stdout == b"text"
    assert nono.run("--read-file", "one", "--", "cat", "two").returncode == 1
    assert nono.run("--write-file", "one", "--", "sh", "-c", "echo new > one").returncode == 0
    assert (nono.home / "one").read_text() == "new\n"
    assert nono.run("--read-file", "one", "--", "sh", "-c", "echo x > one").returncode != 0


def test_without_the_system_nothing_starts(nono):
    done = nono.run("--no-system", "--", "true")
    assert done.returncode == 127
    assert done.stderr == b"nono: /usr/bin/true cannot be executed here: not granted (add --read-file /usr/bin/true)\n"
    done = nono.run("--no-system", "--read-file", "/usr/bin/true", "--", "true")
    assert done.returncode == 127
    assert b", which /usr/bin/true needs to start, cannot be executed here: not granted" in done.stderr
    assert nono.run("--no-system", "--read", "/usr", "--", "true").returncode == 0


CONNECT = """
import socket, sys
kind, port = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
s.settimeout(5)
if kind == "tcp":
    s.connect(("127.0.0.1", int(port)))
else:
    s.sendto(b"x", ("127.0.0.1", int(port)))
"""


def test_network(nono):
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, \
            socket.create_server(("127.0.0.1", 0)) as other:
        udp.bind(("127.0.0.1", 0))
        port = {name: str(sock.getsockname()[1]) for name, sock in (("tcp", tcp), ("udp", udp), ("other", other))}

        def connects(flags, kind, name):
            return nono.run(*flags, "--", PYTHON, "-I", "-c", CONNECT, kind, port[name]).returncode == 0

        assert connects([], "tcp", "tcp")
        assert connects([], "udp", "udp")
        assert not connects(["--block-net"], "tcp", "tcp")
        assert not connects(["--block-net"], "udp", "udp")
        only = ["--allow-connect", port["tcp"]]
        assert connects(only, "tcp", "tcp")
        assert not connects(only, "tcp", "other")
        assert not connects(only, "udp", "udp")
        assert not select.select([udp], [], [], 0)[0] or udp.recv(10) == b"x"
        assert not select.select([udp], [], [], 0)[0], "a datagram of a sandbox without network arrived"


def test_bind(nono):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code = f"import socket; socket.create_server(('127.0.0.1', {port}))"
    assert nono.python(["--allow-bind", port], code).returncode == 0
    assert nono.python(["--allow-bind", port + 1], code).returncode != 0
    assert nono.python(["--allow-connect", port], code).returncode != 0


def test_memory(nono):
    code = "bytearray(1 << 30)"
    assert nono.python([], code).returncode == 0
    assert nono.python(["--memory", "512M"], code).returncode != 0


def test_max_processes(nono):
    done = nono.run("--max-processes", "1000", "--", "sh", "-c", "ulimit -p 2>/dev/null || ulimit -u")
    if os.getuid() == 0 and not nono.prefix:
        assert done.returncode == 126
        assert b"max_processes does not bind uid 0" in done.stderr
        done = nono.run("--uid", "65534", "--max-processes", "1000", "--", "id", "-u")
        assert done.stdout == b"65534\n"
    else:
        assert done.stdout == b"1000\n"


@pytest.mark.parametrize("isolation", ["auto", "process", "namespaces"])
def test_isolation(nono, isolation):
    done = nono.run("--isolation", isolation, "--", "sh", "-c", "echo $$")
    if isolation == "namespaces" and done.returncode == 126:
        pytest.skip("expected: no namespaces here: " + done.stderr.decode().splitlines()[0])
    assert done.returncode == 0
    assert (int(done.stdout) < 10) == (isolation == "namespaces") or isolation == "auto"


# --- ending it -------------------------------------------------------------------------------------

TREE = "setsid sleep {0} & (setsid sleep {0} &) ; sleep {0}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_nono_end_the_tree(nono, marked, number):
    child = nono.start("run", "--", "sh", "-c", TREE.format(marked.word))
    marked.wait_for(3)
    child.send_signal(number)
    child.communicate(timeout=20)
    assert child.returncode == 128 + number
    marked.wait_for(0)


def test_an_ignored_hangup_stays_ignored(nono, marked):
    child = nono.start("run", "--", "sleep", marked.word,
                       preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    marked.wait_for(1)
    child.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert child.poll() is None
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=20) == 128 + signal.SIGTERM


@pytest.mark.parametrize("isolation", ["process", "namespaces"])
def test_nothing_outlives_a_killed_nono(nono, marked, isolation):
    if nono.run("--isolation", isolation, "--", "true").returncode == 126:
        pytest.skip("expected: no namespaces here")
    child = nono.start("run", "--isolation", isolation, "--", "sh", "-c", TREE.format(marked.word))
    marked.wait_for(3)
    child.kill()
    child.communicate(timeout=20)
    marked.wait_for(0)


def test_nothing_outlives_a_killed_nono_whose_last_thread_is_confined(nono, marked):
    """Which of its threads ends last is a matter of luck: one in eight attempts or so."""
    for attempt in range(40):
        child = nono.start("run", "--isolation", "process", "--deny", "/**/.env", "--", "sh", "-c",
                           f"echo started; exec sleep {marked.word}")
        assert child.stdout.readline() == b"started\n"
        time.sleep(attempt % 4 / 1000)
        child.kill()
        child.communicate(timeout=20)
    marked.wait_for(0)


def test_nothing_outlives_the_command(nono, marked):
    done = nono.run("--", "sh", "-c", f"setsid sleep {marked.word} & (setsid sleep {marked.word} &); exit 3")
    assert done.returncode == 3
    marked.wait_for(0)


def test_nothing_is_left_behind(nono):
    private = nono.directory("private")
    loop = ('for i in $(seq 16); do for flag in --json --block-net "--isolation process"; do '
            '"$@" run $flag --allow "$TMPDIR" -- sh -c "cat /etc/shadow"; done; done')
    script = ["sh", "-c", loop, "-", *nono.words()]
    if os.getuid() == 0:  # a /tmp of its own, which nobody else writes to
        script = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o mode=1777 none /tmp && "$@"; ls -A /tmp', "-",
                  *script]

    def ours():
        if os.getuid() == 0:
            return set()
        found = subprocess.run(["find", "/tmp", "-maxdepth", "1", "-user", str(os.getuid())], capture_output=True)
        return set(found.stdout.split(b"\n"))

    before = ours()
    done = subprocess.run(script, env=nono.environment | {"TMPDIR": str(private)}, cwd=nono.home, capture_output=True,
                          timeout=100)
    lines = done.stdout.splitlines()
    assert len(lines) == 16 and all(b'"exit_code":1' in line for line in lines), (lines[-3:], done.stderr[-500:])
    assert list(private.iterdir()) == []
    assert ours() <= before


# --- --json and --dry-run ------------------------------------------------------------------------------


def test_json(nono):
    done = nono.run("--json", "--", "sh", "-c", r"printf 'out\377'; echo err >&2; exit 3")
    result = json.loads(done.stdout)
    assert done.returncode == 3
    assert done.stderr == b""
    assert result.pop("duration") > 0
    assert result == {"exit_code": 3, "signal": None, "timed_out": False, "failed_to_start": False, "truncated": False,
                      "stdout": "out\ufffd", "stderr": "err\n", "explanation": None}
    result = json.loads(nono.run("--json", "--timeout", "0.2", "--", "sleep", "9").stdout)
    assert (result["exit_code"], result["timed_out"]) == (124, True)
    result = json.loads(nono.run("--json", "--", "sh", "-c", "kill -9 $$").stdout)
    assert (result["exit_code"], result["signal"]) == (137, 9)
    result = json.loads(nono.run("--json", "--no-system", "--", "true").stdout)
    assert (result["exit_code"], result["failed_to_start"]) == (127, True)
    assert result["explanation"].startswith("nono: /usr/bin/true cannot be executed here")


def test_dry_run_says_what_run_does(nono):
    for name in ("open", "closed"):
        nono.directory(name)
        nono.file(f"{name}/file")
    flags = ["--read", "open", "--block-net"]
    done = nono.run(*flags, "--dry-run", "--json", "--", "touch", "made")
    assert done.returncode == 0
    assert not (nono.home / "made").exists()
    record = json.loads(done.stdout)
    granted = [grant["path"] for grant in record["grants"] if grant["access"].startswith("read")]
    assert record["network"]["sockets"] == "none"
    for path in ("/usr/bin/env", "/etc/passwd", "/etc/hosts", f"{nono.home}/open/file", f"{nono.home}/closed/file"):
        real = os.path.realpath(path)
        said = any(real == entry or real.startswith(entry + "/") for entry in granted)
        done = nono.python(flags, f"open('{path}').read(1)" if path != "/usr/bin/env" else f"open('{path}', 'rb')")
        assert (done.returncode == 0) == said, path


def test_dry_run_in_words(nono):
    done = nono.run("--read", ".", "--memory", "1G", "--dry-run", "--", "ls", "a\x1b[2J")
    text = done.stdout.decode()
    assert done.returncode == 0
    assert f"read        {nono.home}/...  (user)" in text
    assert "1073741824 bytes" in text
    assert "\x1b" not in text


def test_many_grants(nono):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    flags = []
    for number in range(min(300, soft // 4)):
        flags += ["--read", nono.directory(str(number))]
    assert nono.run(*flags, "--", "true").returncode == 0


@pytest.mark.skipif(shutil.which("git") is None, reason="expected: git is not installed")
def test_git_works_beside_settings_that_it_may_not_read(nono):
    nono.file(".gitconfig", "[user]\n\tname = n\n\temail = e\n")
    nono.directory("project")
    script = "git init -q . && git config user.name || echo none"
    flags = ("--allow", "project", "--cwd", "project", "--unprotect", "git")
    done = nono.run(*flags, "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, b"none\n"), done.stderr
    done = nono.run(*flags, "--read-file", ".gitconfig", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, b"n\n"), done.stderr


def test_a_grant_through_a_link_that_a_command_could_have_made_is_refused(nono):
    nono.directory("project")
    nono.directory("project/inner")
    secret = nono.directory("secret")
    nono.file("secret/key", "the secret")
    flags = ("--allow", "project", "--read", "project/inner")
    script = f"rmdir project/inner && ln -s {secret} project/inner"
    assert nono.run(*flags, "--", "sh", "-c", script).returncode == 0
    done = nono.run(*flags, "--", "cat", "project/inner/key")
    assert (done.returncode, done.stdout) == (126, b"")
    assert f"goes through the link {nono.home}/project/inner, which lies inside {nono.home}/project" in done.stderr.decode()


def test_a_grant_through_any_other_link_is_fine(nono):
    nono.directory("project")
    nono.file("project/file", "text")
    (nono.home / "link").symlink_to("project")
    assert nono.run("--allow", "link", "--", "cat", "link/file").stdout == b"text"
