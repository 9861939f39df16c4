"""Denied names: patterns, names that do not exist yet, protected ones; what the supervisor performs for all others."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet

from support import GENEROUS, can_use_namespaces, caps_for, host, outside, python, shell


def is_supervised() -> bool:
    record = nono_py.plan(caps_for(), isolation="process")
    return any(entry["enforced_by"] == "supervisor" for entry in record["boundaries"])


pytestmark = pytest.mark.skipif(not is_supervised(), reason="expected: no supervisor here: a filter of the host's refuses one")

# Every call that opens, makes, moves, links or removes a name: what it answers, and what it leaves.
CALLS = r"""
import contextlib, ctypes, errno, json, os, shutil, stat, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(sys.argv[1])
log = []
NUMBERS = dict(open=2, rename=82, mkdir=83, rmdir=84, creat=85, link=86, unlink=87, symlink=88, mknod=133, openat=257,
               mkdirat=258, mknodat=259, unlinkat=263, renameat=264, linkat=265, symlinkat=266, renameat2=316,
               truncate=76, openat2=437)
AT, NOFOLLOW, FOLLOW, EMPTY, REMOVEDIR = -100, 0x100, 0x400, 0x1000, 0x200

def tree():
    found = []
    for directory, names, files in os.walk("."):
        for name in sorted(names + files):
            st = os.lstat(os.path.join(directory, name))
            link = os.readlink(os.path.join(directory, name)) if stat.S_ISLNK(st.st_mode) else ""
            size = st.st_size if stat.S_ISREG(st.st_mode) else 0
            found.append([directory, name, oct(st.st_mode), st.st_nlink, size, link])
    return sorted(found)

def call(name, *arguments):
    ctypes.set_errno(0)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(NUMBERS[name]), *words)
    error = errno.errorcode.get(ctypes.get_errno(), 0)
    entry = [name, repr(arguments), result, error]
    if name.startswith(("open", "creat")) and result >= 0:
        import fcntl
        st = os.fstat(result)
        flags = fcntl.fcntl(result, fcntl.F_GETFL)
        entry += [oct(st.st_mode), hex(flags & ~NOFOLL), fcntl.fcntl(result, fcntl.F_GETFD)]
        if stat.S_ISREG(st.st_mode) and flags & 3 in (1, 2) and not flags & os.O_PATH:
            os.write(result, b"text")
        os.close(result)
    log.append(entry)
    if name not in ("open", "openat", "openat2") or arguments[-1] == 0o640:
        log.append(tree())

def clear(directory):
    for entry in list(os.scandir(directory)):
        shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)

def lay():
    clear(".")
    with contextlib.suppress(PermissionError):  # in a sandbox
        clear("../outside")
        with open("../outside/file", "w") as file:
            file.write("1\n")
    os.umask(0o027)
    for name in ("file", "other", "full"):
        with open(name, "w") as file:
            file.write("content")
    os.makedirs("directory/inner")
    open("directory/kept", "w").close()
    os.mkdir("empty")
    os.symlink("file", "link")
    os.symlink("directory", "to-directory")
    os.symlink("made-through-link", "dangling")
    os.symlink(os.path.join(os.getcwd(), "made-through-absolute-link"), "dangling-absolute")
    os.symlink("to-loop", "loop")
    os.symlink("loop", "to-loop")
    os.symlink("nowhere/below", "dangling-directory")
    os.mkfifo("fifo")

lay()
here = os.open(".", os.O_RDONLY)
below = os.open("directory", os.O_RDONLY)
file = os.open("file", os.O_RDWR)
absolute = os.getcwd().encode()
RD, WR, RW, CREAT, EXCL, TRUNC, APPEND, NONBLOCK, DIRECTORY, NOFOLL, CLOEXEC, PATH, TMP = (
    0, 1, 2, 0o100, 0o200, 0o1000, 0o2000, 0o4000, 0o200000, 0o400000, 0o2000000, 0o10000000, 0o20200000)
paths = [b"file", b"./directory//kept", absolute + b"/file", b"link", b"to-directory/kept", b"to-directory", b"nothing",
         b"nothing/below", b"file/below", b"dangling", b"dangling-absolute", b"dangling-directory", b"loop", b"directory",
         b"directory/", b"file/", b"nothing/", b"", b".", b"..", b"/", b"a/" * 2500, b"n" * 256, b"fifo",
         b"/proc/self/fd/%d" % file, b"/dev/fd/%d" % file, b"/dev/fd/999", b"/dev/null", b"directory/../other",
         b"new\nline", b"inv\xff\xfealid", absolute + b"/../outside/file", absolute + b"/../outside/new"]
for path in paths:
    is_fifo = path == b"fifo"
    for flags in (RD, WR, RW, RW | TRUNC, WR | APPEND, RD | DIRECTORY, RD | NOFOLL, WR | CLOEXEC, PATH, PATH | NOFOLL,
                  RD | TRUNC, PATH | DIRECTORY, 3, RW | DIRECTORY):
        call("open", path, flags | (NONBLOCK if is_fifo else 0), 0)
    for flags in (CREAT | WR, CREAT | WR | EXCL, CREAT | RD, CREAT | RW | TRUNC, CREAT | RW | NOFOLL, TMP | RW):
        call("openat", here, path, flags | (NONBLOCK if is_fifo else 0), 0o640)
    lay()
os.chdir(".")
for resolve in (0, 1, 2, 4, 8, 16):
    for path in (b"file", b"to-directory/kept", b"../x", b"/file", b"link", b"new"):
        for flags in (RD, CREAT | RW):
            call("openat2", here, path, struct.pack("3Q", flags, 0o600 if flags else 0, resolve), 24)
    lay()
for how, size in ((struct.pack("3Q", 0, 0, 0), 23), (struct.pack("4Q", 0, 0, 0, 1), 32), (struct.pack("4Q", 0, 0, 0, 0), 32),
                  (struct.pack("3Q", 1 << 40, 0, 0), 24), (struct.pack("3Q", 0, 0o600, 0), 24), (struct.pack("3Q", 0, 0, 1 << 30), 24)):
    call("openat2", here, b"file", how, size)
call("open", 8, 0, 0)
call("openat", 999, b"file", 0, 0)
call("openat", file, b"x", 0, 0)
call("openat", 999, absolute + b"/file", 0, 0)
for path in paths:
    if path.startswith((b"/proc", b"/dev")):
        continue
    call("mkdir", path, 0o777)
    call("mkdirat", below, path, 0o1700)
    call("rmdir", path)
    call("mknod", path, stat.S_IFIFO | 0o666, 0)
    call("mknodat", below, path, stat.S_IFREG | 0o644, 0)
    call("symlink", b"target", path)
    call("symlinkat", b"target", below, path)
    call("link", b"other", path)
    call("link", path, b"linked")
    call("linkat", here, path, below, b"followed", FOLLOW)
    call("truncate", path, 3)
    call("truncate", path, -1)
    call("unlink", path)
    call("creat", path, 0o666)
    call("unlinkat", below, path, 0)
    lay()
    call("rename", b"other", path)
    lay()
    call("rename", path, b"moved")
    lay()
    call("rename", b"empty", path)
    lay()
    for flags in (1, 2, 3, 8):
        call("renameat2", here, b"other", here, path, flags)
        lay()
call("mknod", b"device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
call("mknod", b"plain", 0o600, 0)
call("mknod", b"socket", stat.S_IFSOCK | 0o600, 0)
call("linkat", AT, b"/proc/self/fd/%d" % file, AT, b"by-descriptor", FOLLOW)
call("linkat", here, b"link", here, b"link-itself", 0)
call("linkat", here, b"file", here, b"bad", 0x40)
call("unlinkat", here, b"file", 0x40)
call("symlink", b"", b"empty-link")
for mask in (0, 0o077, 0o777):
    os.umask(mask)
    call("open", b"masked%o" % mask, CREAT | WR, 0o6666)
    call("mkdir", b"masked-directory%o" % mask, 0o7777)
json.dump(log, sys.stdout)
"""


def caps_with(kind: str, workspace: Path) -> CapabilitySet:
    caps = caps_for(workspace)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    if kind == "all":
        caps.deny_path("**/never-there")
    elif kind == "changes":
        caps.protect(["direnv"])
    return caps


# Races are a matter of luck: many attempts once, fewer each further time.
ATTEMPTS = 50_000 if os.geteuid() == 0 else 10_000
ISOLATIONS = ["process", *(["namespaces"] if can_use_namespaces() else [])]


Log = list[list[object]]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="expected: these numbers are x86-64's")
@pytest.mark.parametrize(("kind", "isolation"), [("changes", "process"), *(("all", isolation) for isolation in ISOLATIONS)])
def test_every_call_answers_as_without_a_supervisor(work: Path, kind: str, isolation: str) -> None:
    """What the cage refuses by itself is none of the supervisor's: there it must answer as the cage does."""
    workspace = work / "w"
    (work / "outside").mkdir()

    def run(kind: str) -> Log:
        subprocess.run(["rm", "-rf", workspace], check=True)
        workspace.mkdir()
        if kind == "free":
            log: Log = json.loads(outside(CALLS, workspace).stdout)
            return log
        result = python(caps_with(kind, workspace), CALLS, workspace, isolation=isolation, cwd=str(workspace))
        assert result.exit_code == 0, result.stderr.decode()
        log = json.loads(result.stdout)
        return log

    free, caged, supervised = run("free"), run("none"), run(kind)
    assert len(free) == len(caged) == len(supervised) > 2000

    def may_differ(entry: list[object]) -> bool:
        if isolation == "process":
            return False
        # Paths are walked from the root of the view: RESOLVE_* would be about another directory, and one that
        # was removed is not on the way.
        if entry[3] == "ENOENT" and str(entry[1]).startswith(("(4, b'.", "(b'target', 4, b'.")):
            return True
        return entry[0] == "openat2" and entry[3] == "ENOSYS" or "b'/proc/self/fd" in str(entry[1]) and entry[2] == -1

    three = zip(free, caged, supervised, strict=True)
    different = [(b, c) for a, b, c in three if c not in (a, b) and not may_differ(c)]
    assert not different, different[:10]


# --- what is denied ------------------------------------------------------------------------------

SECRET = "the secret"


@pytest.fixture
def project(work: Path) -> Path:
    """A repository with secrets, and one level down another one."""
    project = work / "project"
    for directory in (project, project / "sub"):
        (directory / ".git" / "hooks").mkdir(parents=True)
        (directory / ".git" / "config").write_text("[core]\n")
        (directory / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (directory / ".env").write_text(SECRET)
    (project / "file").write_text("harmless")
    (project / "keys").mkdir()
    (project / "keys" / "a.pem").write_text(SECRET)
    (project / "keys" / "public").write_text("public")
    return project


def content(directory: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted(directory.rglob("*")):
        st = path.lstat()
        data = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(directory))] = (st.st_mode, st.st_nlink if path.is_file() else 0, data)
    return found


READ_ATTEMPTS = [
    "cat .env", "cat sub/.env", "cat ./sub/../.env", "cat keys/a.pem", "cat $PWD/.env", "cat .ENV", "exec 3<>.env; cat <&3",
    "ln .env x; cat x", "ln -s .env y; cat y", "mv .env x; cat x", "cp .env x; cat x", "dd if=.env", "tar cf - . | tar xOf - ./.env",
    "mv sub other; cat other/.env", "ln -s sub s; cat s/.env", "ln -s .. up; cat up/project/.env", "cat /proc/self/cwd/.env",
    "cd sub; cat .env", "cat < .env", "truncate -s 3 .env; cat .env", "mkdir z; mv sub z/; cat z/sub/.env",
    """python3 -c 'import os; f = os.open(".env", os.O_PATH); print(open(f"/proc/self/fd/{f}").read())'""",
    """python3 -c 'import os; d = os.open("sub", os.O_RDONLY); print(os.read(os.open(".env", os.O_RDONLY, dir_fd=d), 99))'""",
    """python3 -c 'import os; os.rename("sub", "o"); print(open("o/.env").read())'""",
    """python3 -c 'import ctypes; c = ctypes.CDLL(None); c.renameat2(-100, b".env", -100, b"file", 2); print(open("file").read())'""",
]  # fmt: skip


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("attempt", READ_ATTEMPTS)
def test_what_a_pattern_denies_is_not_read(project: Path, isolation: str, attempt: str) -> None:
    caps = caps_for(project)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.deny_path("**/.env")
    caps.deny_path(str(project / "**/*.pem"))
    result = shell(caps, attempt, cwd=str(project), isolation=isolation)
    assert SECRET.encode() not in result.stdout, result
    assert shell(caps, "cat file keys/public", cwd=str(project), isolation=isolation).stdout == b"harmlesspublic"
    for path in (".env", "keys/a.pem"):
        assert (project / path).read_text() == SECRET


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_what_comes_later_is_denied_too(project: Path, isolation: str) -> None:
    caps = caps_for(project)
    caps.deny_path("**/.env")
    caps.deny_path(project / "later")
    result = shell(caps, "mkdir d; echo x > d/.env; echo y > later; mkdir later; ln -s file later; ln file later", cwd=str(project), isolation=isolation)
    assert result.stderr.count(b"Permission denied") == 5, result
    (project / "d" / ".env").write_text(SECRET)
    (project / "later").write_text(SECRET)
    result = shell(caps, "cat d/.env later", cwd=str(project), isolation=isolation)
    assert SECRET.encode() not in result.stdout and result.stderr.count(b"Permission denied") == 2


def test_another_name_of_a_denied_file(project: Path) -> None:
    os.link(project / "keys" / "a.pem", project / "innocent")
    caps = caps_for(project)
    caps.deny_path(project / "keys" / "a.pem")
    result = shell(caps, "cat innocent; cat file", cwd=str(project), isolation="process")
    assert result.stdout == b"harmless", result


@pytest.mark.skipif(os.geteuid() != 0, reason="expected: needs root")
def test_a_denied_directory_mounted_elsewhere(project: Path) -> None:
    (project / "mount").mkdir()
    subprocess.run(["mount", "--bind", project / "keys", project / "mount"], check=True)
    try:
        caps = caps_for(project)
        caps.deny_path(project / "keys")
        result = shell(caps, "cat mount/a.pem; ls mount; cat file", cwd=str(project), isolation="process")
        assert result.stdout == b"harmless", result
    finally:
        subprocess.run(["umount", project / "mount"], check=True)


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_a_grant_inside_of_what_is_denied(project: Path, isolation: str) -> None:
    caps = caps_for(project)
    caps.deny_path(project / "keys")
    caps.allow_file(project / "keys" / "public", AccessMode.READ)
    caps.deny_path("**/.env")
    caps.allow_file(project / "sub" / ".env", AccessMode.READ)
    result = shell(caps, "cat keys/public; cat keys/a.pem; cat .env; cat sub/.env; echo x > sub/.env", cwd=str(project), isolation=isolation)
    assert result.stdout == b"public" + SECRET.encode(), result
    assert (project / "sub" / ".env").read_text() == SECRET


def fold_case(directory: Path) -> bool:
    """A tmpfs with folded names (Linux 6.13, CONFIG_UNICODE), as ext4 and f2fs can have them."""
    directory.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "casefold", "tmpfs", directory], capture_output=True, check=False)
    if mounted.returncode != 0:
        return False
    (directory / "folded").mkdir()
    return subprocess.run(["chattr", "+F", directory / "folded"], capture_output=True, check=False).returncode == 0


def test_other_spellings_of_a_denied_name(project: Path) -> None:
    """No directory here folds them, but some do: they are denied everywhere."""
    caps = caps_for(project)
    caps.deny_path("**/.env")
    caps.deny_path("**/hooks")
    caps.protect()
    names = [".ENV", ".e\u00adnv", ".env.", ".env ", "hoo\u212as", "Hooks", ".envrc.", ".\u200benvrc"]
    code = "import sys\nfor n in sys.argv[1:]:\n  try: open(n, 'w'); print(n)\n  except OSError as e: print(e.errno)"
    result = python(caps, code, *names, cwd=str(project), isolation="process", env=[("PYTHONIOENCODING", "utf-8")])
    assert result.stdout == b"13\n" * len(names), result
    assert python(caps, code, "\u00fcbung", "a~1", cwd=str(project), isolation="process").stdout.count(b"13") == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="expected: needs root")
def test_names_that_a_directory_folds(work: Path) -> None:
    directory = work / "mount"
    try:
        if not fold_case(directory):
            pytest.skip("expected: this kernel folds no case")
        (directory / "folded" / ".env").write_text(SECRET)
        (directory / "folded" / "task").write_text(SECRET)
        caps = caps_for(directory)
        caps.deny_path("**/.env")
        caps.deny_path("**/task")
        caps.deny_path("**/hooks")
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)
        # U+212A, the Kelvin sign, folds to k; U+00AD, the soft hyphen, to nothing.
        script = "cat .ENV .eNv $'tas\u212a' $'.e\u00adnv'; mkdir HOOKS $'hoo\u212as' $'.e\u00adNV'"
        result = shell(caps, script, cwd=str(directory / "folded"), isolation="process")
        assert result.stdout == b"", result
        assert sorted(os.listdir(directory / "folded")) == [".env", "task"]
    finally:
        subprocess.run(["umount", directory], capture_output=True, check=False)


# --- what is protected -----------------------------------------------------------------------------

CHANGE_ATTEMPTS = [
    "echo x > .git/hooks/pre-commit", "echo x >> .git/config", "cp file .git/config", "mv file .git/config", "ln file .git/hooks/x",
    "ln -s ../../file .git/hooks/x", "rm .git/config", "truncate -s 0 .git/config", "mv .git .git2", "mv .git/hooks h",
    "mkdir .git/hooks/d", "rmdir .git/hooks", "chmod 777 .git/config", "touch .git/config", "ln .git/config c; echo x >> c",
    "mv sub/.git sub/g; mkdir -p sub/.git/hooks; echo x > sub/.git/hooks/pre-commit", "echo x > sub/.git/config",
    "rm -rf sub/.git/hooks; ln -s ../../keys sub/.git/hooks", "mkdir e e/hooks; echo x > e/hooks/pre-commit; mv e .git",
    "mkdir d; ln -s ../keys d/.git", "echo x > .envrc", "echo x > .ENVRC", "mkdir .envrc", "ln -s file .envrc", "ln file .envrc",
    "mv file .envrc", "mkfifo .envrc", "mkdir .claude", "mkdir -p .claude/x; echo {} > .claude/settings.json", "ln -s keys .claude",
    "mv keys .claude", "echo {} > .mcp.json", "mkdir .vscode; echo {} > .vscode/tasks.json", "mkdir v; echo {} > v/tasks.json; mv v .vscode",
    "mkdir v; echo {} > v/tasks.json; ln -s v .vscode", "echo x > .bashrc", "echo x > sub/.npmrc", "mkdir -p .local/bin; echo x > .local/bin/ls",
    "echo x > .git/commondir", "git config core.fsmonitor ./x", "git config --file .git/config core.hooksPath x",
    """python3 -c 'import ctypes; ctypes.CDLL(None).renameat2(-100, b"keys", -100, b".git", 2)'""",
    """python3 -c 'import ctypes; ctypes.CDLL(None).renameat2(-100, b"file", -100, b".git/config", 2)'""",
    """python3 -c 'import ctypes; ctypes.CDLL(None).renameat2(-100, b"file", -100, b".git", 2)'""",
    """python3 -c 'import os; f = os.open(".git/config", os.O_RDONLY); open(f"/proc/self/fd/{f}", "w").write("x")'""",
    """python3 -c 'import os; os.setxattr(".git/config", "user.x", b"y")'""",
    """python3 -c 'import os; os.chdir(".git"); open("config", "w").write("x")'""",
]  # fmt: skip
MADE_ON_THE_WAY = {"c", ".git/e", ".git/e/hooks", ".git/e/hooks/pre-commit", "d", ".vscode", "v", "v/tasks.json", ".local"}


@pytest.mark.parametrize("isolation", ISOLATIONS)
@pytest.mark.parametrize("attempt", CHANGE_ATTEMPTS)
def test_what_is_protected_does_not_change(project: Path, isolation: str, attempt: str) -> None:
    caps = caps_for(project)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    caps.protect()
    before = content(project)
    result = shell(caps, attempt, cwd=str(project), isolation=isolation, env=[("PATH", "/usr/bin:/bin"), ("HOME", "/")])
    after = content(project)
    assert {k: v for k, v in after.items() if k not in MADE_ON_THE_WAY} == before, result
    assert shell(caps, "cat .git/config; echo more > new", cwd=str(project), isolation=isolation).stdout == b"[core]\n"


@pytest.mark.parametrize("isolation", ISOLATIONS)
def test_git_works_inside(work: Path, isolation: str) -> None:
    repository = work / "repository"
    subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
    caps = caps_for(repository)
    caps.allow_file("/dev/null", AccessMode.READ_WRITE)
    for path in ("/etc/passwd", "/etc/nsswitch.conf", "/dev/urandom"):
        caps.allow_file(path, AccessMode.READ)
    caps.protect()
    script = """set -e
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
echo 1 > f; git add f; git commit -qm one; git status --short; git branch other; git checkout -q other
echo 2 > f; git commit -qam two; git checkout -q main; git merge -q other; git log --oneline | wc -l
git worktree add -q tree -b third; cd tree; echo 3 > f; git commit -qam three; cd ..; git worktree list | wc -l
git stash list; git tag t; git gc -q; git clone -q . clone; cd clone; git log --oneline | wc -l; git config user.name b; cd ..
git init -q another; git rebase -q third; git log --oneline | wc -l
"""
    env = [("PATH", "/usr/bin:/bin"), ("HOME", str(repository)), ("GIT_CONFIG_NOSYSTEM", "1")]
    result = shell(caps, script, cwd=str(repository), isolation=isolation, env=env)
    assert result.exit_code == 0 and result.stdout.split() == [b"2", b"2", b"2", b"3"], result
    later = shell(caps, "git -C clone config user.name c", cwd=str(repository), isolation=isolation, env=env)
    assert later.exit_code != 0 and b"Permission denied" in later.stderr  # the next command's no more


# --- what waits, what is many, what races ------------------------------------------------------------

def test_opens_that_wait_hold_nobody_up(work: Path) -> None:
    """A FIFO is opened when its other end is; meanwhile everybody else goes on."""
    script = """
for i in $(seq 40); do mkfifo f$i; (echo $i > f$i) & (cat < f$i > /dev/null; echo r >> done) & done
echo first > ready; cat ready; wait; wc -l < done
mkfifo lone; (cat lone > got) & sleep 0.05; cat < ready; echo text > lone; wait; cat got
"""
    caps = caps_with("all", work)
    result = shell(caps, script, cwd=str(work), isolation="process")
    assert result.stdout == b"first\n40\nfirst\ntext\n", result


def test_a_waiting_open_ends_with_its_command(work: Path) -> None:
    start = time.monotonic()
    result = shell(caps_with("all", work), "mkfifo f; for i in 1 2 3; do (cat f; echo x > f) & done; sleep 0.1; echo end", cwd=str(work), isolation="process")
    assert result.stdout == b"end\n" and time.monotonic() - start < GENEROUS / 2


@pytest.mark.parametrize(("kind", "times"), [("all", 20 if os.geteuid() == 0 else 5), ("changes", 5)])
def test_pipelines_under_the_supervisor(work: Path, kind: str, times: int) -> None:
    script = """for i in $(seq 100); do (echo $i | tr 0-9 a-j > out$i; cat out$i | tr a-j 0-9 | sed s/^/x/ >> all) & done; wait; wc -l < all"""
    caps = caps_with(kind, work)
    for _ in range(times):
        result = shell(caps, f"rm -f all; {script}", cwd=str(work), isolation="process")
        assert result.stdout.strip() == b"100" and not result.stderr, result


@pytest.mark.parametrize("kind", ["all", "changes"])
def test_a_program_runs_right_after_it_was_written(work: Path, kind: str) -> None:
    """No descriptor for writing is left behind anywhere: the kernel would answer ETXTBSY."""
    code = """
import os, shutil, subprocess, sys, threading
def work(n):
    for i in range(60):
        name = f"{sys.argv[1]}/p{n}-{i}"
        with open("/usr/bin/true", "rb") as source, open(name, "wb") as program:
            program.write(source.read())
            os.fchmod(program.fileno(), 0o755)
        os.rename(name, name + "x")
        pid = os.posix_spawn(name + "x", [name], {})
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
threads = [threading.Thread(target=work, args=(0,))]
[t.start() for t in threads]; [t.join() for t in threads]
print("all ran")
"""
    assert python(caps_with(kind, work), code, work, isolation="process").stdout == b"all ran\n"


def test_the_hosts_threads_are_closed_by_their_numbers_too(work: Path) -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait, daemon=True)
    thread.start()
    try:
        caps = caps_with("all", work)
        caps.allow_path("/proc", AccessMode.READ)
        script = "cat /proc/self/stat >&2; for f in environ maps fd fd/0 root cwd exe; do cat $0/$f || ls $0/$f/; done"
        for place in (f"/proc/{thread.native_id}", f"/proc/{os.getpid()}/task/{thread.native_id}", f"/proc/{os.getpid()}"):
            result = shell(caps, script.replace("$0", place), cwd=str(work), isolation="process")
            assert result.stdout == b"" and b"(cat)" in result.stderr, place
    finally:
        ended.set()


# What the races share: processes that change names, and the memory that a call's path is in, while calls are made.
RACE = r"""
import ctypes, mmap, os, sys
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None)
path = (ctypes.c_char * 64).from_buffer(mmap.mmap(-1, 4096))  # shared by all
os.mkdir("a")
os.symlink("a", "link")
def swap(*targets):
    for target in targets:
        os.symlink(target, "new")
        os.rename("new", "link")
def move(*names):
    for one, two in names:
        try:
            os.rename(one, two)
        except OSError:
            pass
def flip(*names):
    for name in names:
        ctypes.memmove(path, name, len(name))
others = []
def meanwhile(step, *arguments):
    others.append(os.fork())
    while others[-1] == 0:
        step(*arguments)
def end():
    for pid in others:
        os.kill(pid, 9)
    print("all raced" if [os.waitpid(pid, 0)[1] for pid in others] == [9] * 3 else "one has ended early")
"""

READ_RACE = RACE + r"""
os.mkdir("b")
open("a/x", "w").write("harmless")
secret, leaks = sys.argv[2].encode(), 0
flip(b"./a/x\0")
meanwhile(swap, "a", "..", "sub", "../project")
meanwhile(move, ("a", "moved"), ("moved", "a"), ("sub", "b/sub"), ("b/sub", "sub"))
meanwhile(flip, b".env\0", b"./a/x\0", b"sub/.env\0", b"link/.env\0")
buffer = ctypes.create_string_buffer(100)
for i in range(int(sys.argv[3])):
    for name in (path, b"link/.env" if i % 2 else b"b/sub/.env"):
        fd = libc.open(name, 0)
        if fd >= 0:
            n = libc.read(fd, buffer, 100)
            leaks += n > 0 and secret in buffer.raw[:n]
            libc.close(fd)
end()
print(leaks)
"""


@pytest.mark.timeout(300)  # beside other jobs they take several times as long as alone
def test_races_read_nothing_denied(project: Path) -> None:
    caps = caps_for(project)
    caps.deny_path("**/.env")
    result = python(caps, READ_RACE, project, SECRET, ATTEMPTS, isolation="process", timeout_secs=240.0)
    assert result.stdout == b"all raced\n0\n", result


WRITE_RACE = RACE + r"""
flip(b"a/post\0")
meanwhile(swap, "a", ".git/hooks", ".git")
meanwhile(move, ("a", ".git"), ("a", ".git/hooks"), (".git", "g"), (".git/hooks", "h"), ("a/post", ".envrc"))
meanwhile(flip, b".git/hooks/post\0", b"a/post\0", b".envrc\0", b"link/post\0")
for i in range(int(sys.argv[2])):
    for name in (path, b"link/post"):
        fd = libc.open(name, os.O_CREAT | os.O_WRONLY, 0o644)
        if fd >= 0:
            libc.close(fd)
    libc.mkdir(path, 0o755) if i % 7 == 0 else None
    libc.rmdir(path) if i % 7 == 1 else None
end()
"""


@pytest.mark.timeout(300)
def test_races_make_nothing_protected(project: Path) -> None:
    caps = caps_for(project)
    caps.protect()
    result = python(caps, WRITE_RACE, project, ATTEMPTS, isolation="process", timeout_secs=240.0)
    assert result.stdout == b"all raced\n", result
    assert os.listdir(project / ".git" / "hooks") == []
    assert not (project / ".envrc").exists()
    assert sorted(os.listdir(project / ".git")) in (["HEAD", "config", "hooks"], ["HEAD", "config", "hooks", "post"])


def test_a_command_that_reads_only_starts_no_supervisor(work: Path) -> None:
    caps = caps_with("changes", work)
    (work / "f").write_text("x")
    names: set[str] = set()

    def watch() -> None:
        while not over.is_set():
            for task in os.listdir("/proc/self/task"):
                try:
                    names.add(Path(f"/proc/self/task/{task}/comm").read_text())
                except OSError:
                    pass

    over = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(20):
        # Without HOME, bash would look for its user, in a daemon's socket first.
        env = [("PATH", "/usr/bin:/bin"), ("HOME", "/")]
        assert shell(caps, f"cat {work}/f", env=env, isolation="process").stdout == b"x"
    over.set()
    watcher.join()
    assert "nono-supervisor\n" not in names


def test_commands_of_many_threads(work: Path) -> None:
    results: list[bytes] = []

    def command(n: int) -> None:
        directory = work / str(n)
        directory.mkdir()
        for i in range(10):
            script = f"for j in 1 2 3 4; do (echo {i} > f$j; cat f$j) & done; wait"
            results.append(shell(caps_with("all", directory), script, cwd=str(directory), isolation="process").stdout)

    threads = [threading.Thread(target=command, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted(f"{i}\n".encode() * 4 for i in range(10) for _ in range(6))


def test_locks_of_the_host_stay(work: Path) -> None:
    """A process loses its locks on a file with any descriptor of that file that it closes: also with a supervisor's."""
    code = """
import fcntl, os, subprocess
path = sys.argv[1] + "/data"
mine = open(path, "w"); fcntl.lockf(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)
caps = caps_for(sys.argv[1]); caps.deny_path("**/.env")
for _ in range(2):
    shell(caps, "true", cwd=sys.argv[1], isolation="process")  # its keeper stays, and has been used again
before = sorted(os.listdir("/proc/self/fd"))
for _ in range(5):
    result = shell(caps, "cat data; echo more >> data; chmod 600 data; : > other; ln data link; rm link", cwd=sys.argv[1], isolation="process")
    assert result.exit_code == 0, result
assert sorted(os.listdir("/proc/self/fd")) == before
other = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
print(subprocess.run([PYTHON, "-c", other, path], capture_output=True).returncode)
"""
    done = host(code, work)
    assert done.stdout == b"1\n", done


def test_without_a_supervisor_it_is_refused(work: Path) -> None:
    caps = caps_for(work)
    caps.protect()
    with pytest.raises(RuntimeError, match="unprotect|--unprotect"):
        nono_py.plan(caps, uid=65534)
