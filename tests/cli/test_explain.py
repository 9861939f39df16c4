"""Explanations of denials, `nono why` and `nono setup`: they say what the kernel does."""

import json
import os
import time

import pytest

PYTHON = "/usr/bin/python3"


def last_line(done):
    return done.stderr.decode(errors="replace").splitlines()[-1]


# --- after a denied command ----------------------------------------------------------------------------


def test_a_denied_file(nono):
    file = nono.file("secret", "text")
    for words in (["cat", file], ["sh", "-c", f"cat < {file}"], [PYTHON, "-c", f"open('{file}')"]):
        done = nono.run("--", *words)
        assert done.returncode != 0
        assert last_line(done) == f"nono: {file} was not readable here: not granted (add --read-file {file})", words
    assert nono.run("--read-file", file, "--", "cat", file).stdout == b"text"


def test_the_shadow_file(nono):
    line = last_line(nono.run("--", "cat", "/etc/shadow"))
    assert line.startswith("nono: /etc/shadow was not readable here: not granted")
    root = os.getuid() == 0 and not nono.prefix
    assert line.endswith("(add --read-file /etc/shadow)" if root else "nor do its file permissions allow it to you")


def test_a_suggestion_works_when_followed(nono):
    directory = nono.directory("with space")
    done = nono.run("--", "ls", directory)
    line = last_line(done)
    assert line.endswith(f"(add --read '{directory}')")
    assert nono.run("--read", directory, "--", "ls", directory).returncode == 0


def test_a_denied_write(nono):
    done = nono.run("--read", ".", "--", "touch", "new")
    assert last_line(done) == f"nono: {nono.home}/new was not writable here: only read is granted"
    nono.file("old")
    done = nono.run("--read", ".", "--", "sh", "-c", "echo x > old")
    assert last_line(done).startswith(f"nono: {nono.home}/old was not writable here: only read is granted (add ")


def test_a_program_outside(nono):
    program = nono.file("tool", "#!/bin/sh\necho hello\n", 0o755)
    done = nono.run("--", "./tool")
    assert done.returncode == 127
    assert done.stderr.decode() == f"nono: {program} cannot be executed here: not granted (add --read-file {program})\n"
    assert nono.run("--read-file", program, "--", "./tool").stdout == b"hello\n"


def test_an_interpreter_outside(nono):
    interpreter = nono.home / "interpreter"
    interpreter.write_bytes(open("/bin/sh", "rb").read())
    interpreter.chmod(0o755)
    program = nono.file("tool", f"#!{interpreter} -e\necho hello\n", 0o755)
    done = nono.run("--read-file", program, "--", "./tool")
    assert done.returncode == 127
    assert last_line(done) == (f"nono: {interpreter}, which {program} needs to start, cannot be executed here: "
                               f"not granted (add --read-file {interpreter})")
    assert nono.run("--read-file", program, "--read-file", interpreter, "--", "./tool").stdout == b"hello\n"


def test_protected_names_are_not_suggested(nono):
    nono.directory(".ssh")
    key = nono.file(".ssh/id_ed25519", "secret")
    assert last_line(nono.run("--", "cat", key)) == f"nono: {key} was not readable here: not granted"
    (nono.home / "link").symlink_to(key)
    assert last_line(nono.run("--", "cat", "link")) == (
        f"nono: {key} was not readable here: not granted")
    for path in (nono.home, "/", "/etc", "/proc/1", "/run"):
        assert "add" not in last_line(nono.run("--", "sh", "-c", f"echo \"ls: '{path}': Permission denied\" >&2; exit 1"))


def test_the_network(nono):
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    assert last_line(nono.python(["--block-net"], code)) == "nono: the network is blocked here (--block-net)"
    code = "import socket; socket.getaddrinfo('example.com', 80)"
    assert last_line(nono.python(["--block-net"], code)) == "nono: the network is blocked here (--block-net)"
    done = nono.python(["--allow-connect", "443"], "import socket; socket.create_connection(('192.0.2.1', 80), 1)")
    assert last_line(done).startswith("nono: the network is limited here to TCP port 443 (--allow-connect)")


def test_nothing_known_nothing_said(nono):
    for script in ("echo failed >&2; exit 1", "exit 1", "echo 'cat: /usr/bin/env: Permission denied' >&2; exit 1",
                   "cat /nonexistent", "echo 'cat: /etc/shadow: Permission denied' >&2"):
        assert b"nono:" not in nono.run("--", "sh", "-c", script).stderr, script


# --- hostile commands --------------------------------------------------------------------------------------

HOSTILE = {
    "escape sequences": b"cat: '/x\x1b]0;owned\x07\x1b[2J': Permission denied\n",
    "newlines": b"cat: '/x\nnono: all is well': Permission denied\n",
    "invalid UTF-8": b"cat: /\xff\xfe\x80/x: Permission denied\n",
    "right to left": "cat: /\u202ecod.exe: Permission denied\n".encode(),
    "nul": b"cat: /et\0c: Permission denied\n",
    "shell words": b"cat: '/x`reboot`$(reboot);reboot': Permission denied\n",
    "only quotes": b"'" * 5000 + b" Permission denied\n",
    "long path": b"cat: /" + b"a/" * 40000 + b": Permission denied\n",
    "many": b"cat: /x: Permission denied\n" * 20000,
    "no end": b"/" * 100000 + b"Permission denied",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_stderr(nono, name):
    text = HOSTILE[name]
    (nono.home / "text").write_bytes(text)
    done = nono.run("--read", ".", "--", "sh", "-c", "cat text >&2; exit 1")
    assert done.returncode == 1
    assert done.stderr.startswith(text)
    ours = done.stderr[len(text):]
    assert ours.count(b"\n") <= 1 and len(ours) < 4096
    assert all(byte >= 0x20 or byte == 0x0a for byte in ours)
    assert "\u202e" not in ours.decode()
    assert b"add" not in ours


def test_a_very_long_line(nono):
    begin = time.monotonic()
    done = nono.python([], "import sys\nsys.stderr.write('x' * (10 << 20) + ': Permission denied'); sys.exit(1)")
    assert time.monotonic() - begin < 20
    assert done.returncode == 1
    assert len(done.stderr.rstrip(b"\n")) == (10 << 20) + len(": Permission denied")


# --- why ---------------------------------------------------------------------------------------------------


def test_why_agrees_with_the_kernel(nono):
    for name in ("readable", "writable", "both", "closed"):
        nono.directory(name)
        nono.file(f"{name}/file")
    nono.file("single")
    (nono.home / "readable" / "link-out").symlink_to(nono.home / "closed" / "file")
    (nono.home / "closed" / "link-in").symlink_to(nono.home / "readable" / "file")
    flags = ["--read", "readable", "--write", "writable", "--allow", "both", "--read-file", "single"]
    opened = {"read": "os.O_RDONLY", "write": "os.O_WRONLY", "readwrite": "os.O_RDWR"}
    paths = ["readable/file", "writable/file", "both/file", "closed/file", "single", "readable/link-out",
             "closed/link-in", "readable/../closed/file", "/usr/bin/env", "/etc/hosts", "/etc/passwd", "/dev/null",
             "/dev/urandom", "/proc/self/status"]
    code = ["import os"]
    asked = []
    for path in paths:
        for operation, mode in opened.items():
            if path.startswith(("/usr", "/etc", "/dev/u", "/proc")) and operation != "read":
                continue  # file permissions decide first
            asked.append((path, operation))
            code.append(f"try: os.open({path!r}, {mode}); print('allowed')\nexcept PermissionError: print('denied')")
    happened = nono.python(flags, "\n".join(code)).stdout.decode().split()
    assert len(happened) == len(asked)
    for (path, operation), outcome in zip(asked, happened):
        done = nono("why", *flags, "--path", path, "--op", operation, "--json")
        answer = json.loads(done.stdout)
        assert answer["status"] == outcome, (path, operation, answer)
        assert done.returncode == (0 if outcome == "allowed" else 1)


def test_why_in_words(nono):
    nono.file("file")
    done = nono("why", "--path", "file")
    assert done.returncode == 1
    assert done.stdout.decode() == (f"Reading file (which is {nono.home}/file) is denied: no grant covers it. "
                                    f"To allow it, add --read-file {nono.home}/file.\n")
    done = nono("why", "--read", ".", "--path", nono.home / "file", "--op", "write")
    assert done.stdout.decode().startswith(f"Writing {nono.home}/file is denied: only read is granted.")
    done = nono("why", "--allow", ".", "--path", nono.home / "new", "--op", "write")
    assert (done.returncode, b"is allowed" in done.stdout) == (0, True)


def test_why_hosts(nono):
    cases = [([], 443, 0), (["--block-net"], 443, 1), (["--allow-connect", "443"], 443, 0),
             (["--allow-connect", "443"], 80, 1), (["--allow-bind", "443"], 443, 1)]
    for flags, port, code in cases:
        assert nono("why", *flags, "--host", "example.com", "--port", port).returncode == code, (flags, port)


def test_setup(nono):
    done = nono("setup", "--check-only")
    assert done.returncode == (0 if nono.run("--", "true").returncode == 0 else 1)
    for word in (b"Landlock", b"ABI", b"seccomp", b"namespaces", b"cgroups"):
        assert word in done.stdout


# --- denials inside a grant ----------------------------------------------------------------------------


def test_a_denied_path_inside_a_grant(nono):
    nono.directory("project")
    file = nono.file("project/.env", "secret")
    nono.file("project/code", "code")
    flags = ("--allow", "project", "--deny", file)
    done = nono.run(*flags, "--", "cat", "project/code", file)
    if done.returncode == 126:
        assert b"takes a supervisor, and this host allows none" in done.stderr
        return
    assert (done.returncode, done.stdout) == (1, b"code")
    assert last_line(done) == f"nono: {file} was not readable here: denied (--deny {file})"
    assert nono.run(*flags, "--", "rm", "-f", file).returncode == 1
    why = nono("why", *flags, "--path", file)
    assert why.returncode == 1
    assert f"is denied: --deny {file} beats every grant" in why.stdout.decode()
    assert nono("why", *flags, "--path", "project/code").returncode == 0
    assert f"denied      {file}" in nono.run(*flags, "--dry-run", "--", "true").stdout.decode()


def test_a_denied_name_that_does_not_exist(nono):
    nono.directory("project")
    for denied, path in (("project/.env", "project/.env"), ("**/.env", "project/deep/.ENV/x")):
        flags = ("--allow", "project", "--deny", denied)
        why = nono("why", *flags, "--path", path, "--json")
        if why.returncode == 126:
            assert b"takes a supervisor, and this host allows none" in why.stderr
            return
        said = json.loads(why.stdout)
        assert (why.returncode, said["status"], said["reason"]) == (1, "denied", "denied_path")
        assert said["denied_by"].endswith(denied)
        assert "suggested_flag" not in said
        assert nono("why", *flags, "--path", "project").returncode == 0


def test_a_protected_name(nono):
    nono.directory("project")
    nono.directory("project/.git")
    flags = ("--allow", "project", "--path", "project/.git/hooks/pre-commit")
    why = nono("why", *flags, "--op", "write")
    if why.returncode == 126:
        assert b"--unprotect all" in why.stderr
        return
    assert why.returncode == 1
    assert "/project/.git/hooks is protected (git). To allow it, add --unprotect git." in why.stdout.decode()
    assert nono("why", *flags, "--op", "read").returncode == 0
    for name in ("git", "all"):
        assert nono("why", *flags, "--op", "write", "--unprotect", name).returncode == 0
    assert nono("why", *flags, "--op", "write", "--unprotect", "shell").returncode == 1
    unknown = nono("why", *flags, "--unprotect", "hooks")
    assert unknown.returncode == 2
    assert b"hooks not in {git,direnv,editors,agents,shell,login,packages,venv,all}" in unknown.stderr


def test_a_grant_inside_a_denied_directory(nono):
    for path in ("project", "project/secrets", "project/secrets/public"):
        nono.directory(path)
    flags = ("--allow", "project", "--deny", "project/secrets", "--read", "project/secrets/public")
    why = nono("why", *flags, "--path", "project/secrets/public/x", "--json")
    if why.returncode == 126:
        return
    said = json.loads(why.stdout)
    assert said["status"] == "allowed"
    assert said["beats_denial"].endswith("project/secrets")
    assert nono("why", *flags, "--path", "project/secrets/x").returncode == 1


def test_a_grant_of_one_file_is_no_pattern(nono):
    nono.directory("project")
    done = nono.run("--read-file", "project/*", "--", "true")
    assert done.returncode != 0
    assert b"This grant is a path and no pattern" in done.stderr


def test_why_names_the_pattern(nono):
    project = nono.directory("project")
    answer = nono("why", "--path", "project/x.csv", "--op", "read", "--read", "project/*.csv")
    assert answer.returncode == 0
    assert f"{project}/*.csv" in answer.stdout.decode()
    assert nono("why", "--path", "project/x.txt", "--op", "read", "--read", "project/*.csv").returncode == 1
