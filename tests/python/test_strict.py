"""isolation="strict": what is not granted is not there, for stat, access, readlink and /proc too."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import nono_py
import pytest
from nono_py import AccessMode, CapabilitySet, ExecResult, sandboxed_exec_async

from support import (
    caps_for,
    host,
    needs_namespaces,
    needs_root,
    outside,
    python,
    shell,
    system_caps,
)

SECRET = "the secret"


@pytest.fixture(autouse=True)
def only_with_namespaces() -> None:
    needs_namespaces()


@pytest.fixture
def ours(work: Path) -> Path:
    """A directory to grant; beside it are a file, a directory and a link that are not."""
    (work / "secret").write_text(SECRET)
    (work / "private").mkdir()
    (work / "private" / "file").write_text(SECRET)
    (work / "link").symlink_to("secret")
    (work / "ours").mkdir()
    return work / "ours"


def strict(caps: CapabilitySet, script: str, **options: Any) -> ExecResult:
    """In the first directory that may be written to."""
    writable = [grant.resolved for grant in caps.fs_capabilities() if grant.access == AccessMode.READ_WRITE]
    options.setdefault("cwd", next(filter(os.path.isdir, writable), "/usr"))
    return shell(caps, script, isolation="strict", **options)


# What calls that need no rights say about a path: its errno, or what they found.
ASK = """
import os, sys
def say(call, *arguments):
    try: return repr(call(*arguments))
    except OSError as error: return str(error.errno)
for path in sys.argv[1:]:
    print(say(lambda: os.stat(path).st_size), say(lambda: os.lstat(path).st_size), os.access(path, os.F_OK),
          say(os.readlink, path), say(os.listdir, path), say(os.statvfs, path), say(os.listxattr, path),
          say(os.open, path, os.O_PATH))
"""
NOTHING = b"2 2 False 2 2 2 2 2\n"


class TestWhatIsNotThere:
    def test_ungranted_paths_answer_enoent(self, ours: Path) -> None:
        paths = [ours.parent / name for name in ("secret", "private", "private/file", "link", "missing")]
        paths += [Path("/etc/passwd"), Path("/root"), Path("/proc"), Path("/sys"), Path("/dev/null"), Path("/boot")]
        assert b"\n" + NOTHING not in outside(ASK, *paths[:4]).stdout
        result = python(caps_for(ours), ASK, *paths, isolation="strict", cwd=str(ours))
        assert result.stdout == NOTHING * len(paths), result.stderr

    def test_on_every_way_round(self, ours: Path) -> None:
        (ours / "sub").mkdir()
        (ours / "up").symlink_to("../secret")
        (ours / "away").symlink_to(ours.parent / "private")
        (ours / "passwd").symlink_to("/etc/passwd")
        caps = caps_for(ours)
        caps.allow_path("/proc", AccessMode.READ)
        ways = ["../secret", "sub/../../secret", "up", "away", "away/file", "passwd", "/proc/self/cwd/../secret"]
        ways += [f"/proc/self/root{ours.parent}/secret", f"/proc/thread-self/root{ours.parent}/private"]
        assert b"False" not in outside(f"import os; os.chdir({str(ours)!r})\n{ASK}", *ways[:6]).stdout
        result = python(caps, f"import os, sys\nfor p in sys.argv[1:]: print(os.path.exists(p))\n{ASK}", *ways,
                        isolation="strict", cwd=str(ours))  # fmt: skip
        assert b"True" not in result.stdout.replace(b"lexists", b"")
        assert SECRET.encode() not in result.stdout
        # What cannot be followed is no answer either: the root of another process.
        other = python(caps, ASK, f"/proc/1/root{ours.parent}/secret", isolation="strict", cwd=str(ours)).stdout
        assert set(other.split()) <= {b"2", b"13", b"False"}

    def test_parents_show_nothing_but_the_way(self, ours: Path) -> None:
        caps = caps_for(ours)
        result = strict(caps, "for d in / .. ../..; do stat -c '%a %F' $d; ls $d; done; cd ..; pwd; ls -d ours *")
        assert result.stdout.decode().split("\n") == ["755 directory"] * 3 + [str(ours.parent), "ours", ""]
        assert result.stderr.count(b"Permission denied") == 3  # Landlock: to list a directory takes a grant
        made = strict(caps, "touch ../new; mkdir /new; rm -r ../ours; mv ../ours ../theirs; chmod 700 ..")
        assert made.exit_code != 0
        assert sorted(os.listdir(ours.parent)) == ["link", "ours", "private", "secret"]

    def test_proc_is_absent_or_the_sandboxs_own(self, ours: Path) -> None:
        caps = caps_for(ours)
        assert strict(caps, "test -e /proc").exit_code == 1
        caps.allow_path("/proc", AccessMode.READ)
        result = strict(caps, "ls /proc; cat /proc/self/mountinfo")
        names = result.stdout.decode().split()
        assert result.exit_code == 0
        assert max(int(name) for name in names if name.isdigit() and len(name) < 9) < 100000
        assert str(os.getpid()) not in names[: names.index("self")]
        mounts = [line.split()[4] for line in result.stdout.decode().splitlines() if " - " in line]
        granted = {grant.resolved for grant in caps.fs_capabilities()}
        assert set(mounts) <= granted | {"/"}

    def test_a_grant_below_proc(self, ours: Path) -> None:
        caps = caps_for(ours)
        caps.allow_file("/proc/uptime", AccessMode.READ)
        assert strict(caps, "read up rest < /proc/uptime && echo $up").stdout != b""
        assert strict(caps, "cat /proc/meminfo").exit_code != 0

    def test_devices_one_by_one(self, ours: Path) -> None:
        caps = caps_for(ours)
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)
        caps.allow_file("/dev/zero", AccessMode.READ)
        script = "echo x > /dev/null && head -c 3 /dev/zero | wc -c; test -e /dev/full || echo none; test -c /dev/null && echo is"
        assert strict(caps, script).stdout == b"3\nnone\nis\n"

    def test_sockets_and_fifos(self, ours: Path, tmp_path: Path) -> None:
        os.mkfifo(ours.parent / "fifo")
        caps = caps_for(ours)
        caps.allow_file(ours.parent / "fifo", AccessMode.READ_WRITE)
        name = os.path.relpath(ours.parent / "socket")
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(ours.parent)
            server.bind("socket")
            caps.allow_file(ours.parent / "socket", AccessMode.READ)
            script = f"test -S {ours.parent}/socket && echo socket; exec 3<>{ours.parent}/fifo; echo out >&3; head -1 <&3"
            assert strict(caps, script).stdout == b"socket\nout\n", name


class TestGrants:
    def test_writes_reach_the_host(self, ours: Path) -> None:
        caps = caps_for(ours)
        script = "echo new > f && mkdir -p a/b && mv f a/b/g && chmod 600 a/b/g && ln -s g a/b/l && cat a/b/l"
        assert strict(caps, script).stdout == b"new\n"
        assert (ours / "a" / "b" / "g").read_text() == "new\n"
        assert stat.S_IMODE((ours / "a" / "b" / "g").stat().st_mode) == 0o600
        (ours / "later").write_text("from outside")
        assert strict(caps, "cat later").stdout == b"from outside"

    @pytest.mark.parametrize("outer", [AccessMode.READ, AccessMode.READ_WRITE])
    @pytest.mark.parametrize("inner", [AccessMode.READ, AccessMode.READ_WRITE])
    def test_a_directory_inside_a_granted_one(self, ours: Path, outer: AccessMode, inner: AccessMode) -> None:
        (ours / "in").mkdir()
        caps = system_caps()
        caps.allow_path(ours, outer)
        caps.allow_path(ours / "in", inner)
        wrote = strict(caps, "echo x > f; echo x > in/f; cp in/f in/g; cat in/g", cwd=str(ours))
        both = AccessMode.READ_WRITE
        assert (ours / "f").exists() == (outer == both)
        assert (ours / "in" / "g").exists() == (both in (outer, inner))
        assert (wrote.stdout == b"x\n") == (both in (outer, inner))

    def test_three_deep(self, ours: Path) -> None:
        (ours / "a" / "b" / "c").mkdir(parents=True)
        caps = system_caps()
        for path, mode in ((ours / "a" / "b" / "c", AccessMode.READ), (ours / "a" / "b", AccessMode.READ_WRITE)):
            caps.allow_path(path, mode)
        caps.allow_path(ours, AccessMode.READ)
        result = strict(caps, "touch x a/x a/b/x a/b/c/x; find . -name x | sort", cwd=str(ours))
        assert result.stdout == b"./a/b/c/x\n./a/b/x\n"

    def test_a_file_below_a_granted_directory(self, ours: Path) -> None:
        (ours / "f").write_text("old\n")
        (ours / "g").write_text("old\n")
        caps = system_caps()
        caps.allow_path(ours, AccessMode.READ)
        caps.allow_file(ours / "f", AccessMode.READ_WRITE)
        assert strict(caps, "echo new > f; echo new > g; cat f g", cwd=str(ours)).stdout == b"new\nold\n"

    def test_single_files(self, ours: Path) -> None:
        caps = caps_for(ours)
        caps.allow_file(ours.parent / "secret", AccessMode.READ)
        caps.allow_file(ours.parent / "private" / "file", AccessMode.READ_WRITE)
        script = "cat ../secret; echo more >> ../private/file; echo no >> ../secret; test -e ../link || echo none"
        assert strict(caps, script).stdout == SECRET.encode() + b"none\n"
        assert (ours.parent / "private" / "file").read_text() == SECRET + "more\n"
        assert (ours.parent / "secret").read_text() == SECRET

    def test_write_only(self, ours: Path) -> None:
        caps = caps_for(ours)
        caps.allow_path(ours.parent / "private", AccessMode.WRITE)
        assert strict(caps, "echo x > ../private/new; cat ../private/file").exit_code == 1
        assert (ours.parent / "private" / "new").exists()

    def test_metadata_outside_write_grants_stays(self, ours: Path) -> None:
        caps = caps_for(ours)
        caps.allow_path(ours.parent / "private", AccessMode.READ)
        result = strict(caps, "chmod 777 ../private/file ../private; touch -d @1 ../private/file; chmod 700 / /usr")
        assert b"Read-only file system" in result.stderr
        assert (ours.parent / "private" / "file").stat().st_mtime > 1

    def test_a_umask_does_not_close_the_way(self, ours: Path) -> None:
        code = f"import os; os.umask(0o77); r = shell(caps_for({str(ours)!r}), 'stat -c %a /tmp; touch f; stat -c %a f', "
        code += f"isolation='strict', cwd={str(ours)!r}); print(r)\nprint(r.stdout)"
        assert host(code).stdout.endswith(b"755\\n600\\n'\n")

    @needs_root
    def test_another_uid(self, ours: Path) -> None:
        os.chmod(ours, 0o777)
        result = strict(caps_for(ours), "id -u; pwd; echo x > f; stat -c %u f; test -e ../secret || echo none", uid=61236)
        assert result.stdout.decode().split() == ["61236", str(ours), "61236", "none"], result.stderr

    def test_denials(self, ours: Path) -> None:
        (ours / "deep" / "er").mkdir(parents=True)
        for path in (ours / ".env", ours / "deep" / "er" / "key", ours.parent / "private" / "key"):
            path.write_text(SECRET)
        caps = caps_for(ours)
        caps.allow_path(ours.parent / "private", AccessMode.READ)
        for path in (".env", "deep/er", "../private/key"):
            caps.deny_path(ours / path)
        for script in ("cat .env", "cat deep/er/key", "mv deep x; cat x/er/key", "cat ../private/key", "echo x > .env",
                       "mv .env x; cat x", "ln .env x; cat x", "ls deep/er; cat deep/er/*", "rm -rf deep"):  # fmt: skip
            result = strict(caps, script)
            assert SECRET.encode() not in result.stdout, script
            assert result.exit_code != 0, script
        assert strict(caps, f"cat ../private/file; ls {ours}").stdout.startswith(SECRET.encode())
        assert (ours / ".env").read_text() == (ours / "deep" / "er" / "key").read_text() == SECRET


    def test_denied_names_that_are_not_there_yet(self, ours: Path) -> None:
        """A supervisor then opens files for the command: it goes by the same root."""
        caps = caps_for(ours)
        caps.deny_path(ours / ".env")
        (ours / "away").symlink_to(ours.parent / "secret")
        if strict(caps, "true").exit_code == 126:
            pytest.skip("expected: no supervisor here")
        opens = "import sys\nfor p in sys.argv[1:]:\n try: open(p)\n except OSError as error: print(error.errno)"
        ways = ["../secret", "away", str(ours.parent / "private" / "file"), "/etc/passwd", "/proc/self/environ"]
        assert python(caps, opens, *ways, isolation="strict", cwd=str(ours)).stdout == b"2\n" * len(ways)
        assert strict(caps, "echo x > new && mv new newer && cat newer; echo x > .env; test -e .env || echo none").stdout == b"x\nnone\n"
        assert sorted(os.listdir(ours)) == ["away", "newer"]


class TestLinks:
    def test_of_the_root(self, ours: Path) -> None:
        result = strict(caps_for(ours), "for l in /*; do :; done; readlink /bin /lib; /bin/sh -c 'echo sh'")
        expected = [os.readlink(path) for path in ("/bin", "/lib") if os.path.islink(path)]
        assert result.stdout.decode().split() == [*expected, "sh"]

    def test_as_the_caller_wrote_them(self, ours: Path) -> None:
        (ours.parent / "one").symlink_to("private/..")
        (ours.parent / "two").symlink_to(ours.parent / "one" / "ours")
        caps = system_caps()
        caps.allow_path(ours.parent / "two", AccessMode.READ_WRITE)
        script = f"echo x > {ours.parent}/two/f; cat {ours}/f; readlink ../one ../two; stat ../link"
        result = strict(caps, script, cwd=str(ours))
        # "private/.." needs a directory `private`, which is not there: the names, no more.
        assert result.stdout.decode().split() == ["private/..", str(ours.parent / "one" / "ours")], result.stderr
        (ours.parent / "three").symlink_to("ours")
        caps.allow_path(ours.parent / "three", AccessMode.READ)
        assert strict(caps, "echo y > ../three/g; cat ../three/g", cwd=str(ours)).stdout == b"y\n"

    def test_a_file_by_its_link(self, ours: Path) -> None:
        caps = caps_for(ours)
        caps.allow_file(ours.parent / "link", AccessMode.READ)
        assert strict(caps, "readlink ../link; cat ../link").stdout.decode() == "secret\n" + SECRET

    def test_what_an_agent_makes_of_a_link_is_not_followed(self, ours: Path) -> None:
        (ours / "in").mkdir()
        caps = caps_for(ours, ours / "in")
        assert strict(caps, "rmdir in && ln -s ../private in").exit_code == 0
        result = strict(caps, "cat in/file")
        assert (result.exit_code, result.stdout) == (126, b"")
        assert f"granted path {ours}/in is no longer what was granted".encode() in result.stderr


class TestPrograms:
    def test_scripts(self, ours: Path) -> None:
        for name, first in (("a", "#!/bin/sh"), ("b", "#!/usr/bin/env bash"), ("c", "#!/usr/bin/env python3")):
            (ours / name).write_text(f"{first}\n" + ("print('hi')" if name == "c" else "echo hi") + "\n")
            (ours / name).chmod(0o755)
        caps = caps_for(ours)
        caps.allow_file("/dev/urandom", AccessMode.READ)
        assert strict(caps, "./a && ./b && ./c").stdout == b"hi\n" * 3
        direct = nono_py.sandboxed_exec(caps, [str(ours / "a")], cwd=str(ours), isolation="strict")
        assert direct.stdout == b"hi\n"

    def test_a_program_that_is_not_granted(self, ours: Path) -> None:
        shutil.copy("/usr/bin/true", ours.parent / "true")
        result = nono_py.sandboxed_exec(caps_for(ours), [str(ours.parent / "true")], cwd=str(ours), isolation="strict")
        assert result.exit_code == 127
        assert b"No such file or directory" in result.stderr

    def test_git(self, ours: Path) -> None:
        caps = caps_for(ours)
        for device in ("/dev/null", "/dev/urandom"):
            caps.allow_file(device, AccessMode.READ_WRITE)
        identity = "-c user.name=n -c user.email=e"
        (ours / "file").write_text("text")
        script = (
            f"git init -q . && git add file && git {identity} commit -qm one && git branch two && git checkout -q two "
            "&& git status --porcelain && git log --oneline | wc -l && git rev-parse --show-toplevel"
        )
        env = [("PATH", "/usr/bin:/bin"), ("HOME", str(ours)), ("GIT_CONFIG_NOSYSTEM", "1")]
        result = strict(caps, script, env=env)
        assert result.stdout.decode().split() == ["1", str(ours)], result.stderr

    @pytest.mark.skipif(shutil.which("gcc") is None, reason="expected: needs gcc")
    def test_gcc(self, ours: Path) -> None:
        (ours / "x.c").write_text("#include <stdio.h>\nint main(void) { puts(\"built\"); }\n")
        caps = caps_for(ours)
        caps.allow_path("/etc/alternatives", AccessMode.READ)
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)
        result = strict(caps, f"TMPDIR={ours} gcc -O1 -o x x.c && ./x")
        assert result.stdout == b"built\n", result.stderr

    def test_python_and_pipelines(self, ours: Path) -> None:
        result = strict(caps_for(ours), "seq 1000 | python3 -c 'import sys, json, sqlite3; print(sum(map(int, sys.stdin)))'")
        assert result.stdout == b"500500\n", result.stderr

    def test_async(self, ours: Path) -> None:
        command = ["/bin/bash", "-c", "test -e ../secret || echo none"]
        result = asyncio.run(sandboxed_exec_async(caps_for(ours), command, cwd=str(ours), isolation="strict"))
        assert result.stdout == b"none\n"


class TestRefusals:
    def test_a_directory_to_start_in_that_is_not_granted(self, ours: Path) -> None:
        for directory in ("/", str(ours.parent), str(ours.parent / "private")):
            result = strict(caps_for(ours), "echo started", cwd=directory)
            assert (result.exit_code, result.stdout) == (126, b"")
            assert f"the working directory {directory} lies in no grant".encode() in result.stderr

    def test_a_grant_of_everything(self, ours: Path) -> None:
        caps = caps_for(ours)
        caps.allow_path("/", AccessMode.READ)
        result = strict(caps, "echo started")
        assert (result.exit_code, result.stdout) == (126, b"")
        assert b"and / is granted" in result.stderr

    @pytest.mark.parametrize("how", ["rmdir", "mv", "link", "file"])
    def test_a_grant_that_is_gone_or_swapped_between_commands(self, ours: Path, how: str) -> None:
        (ours.parent / "more").mkdir()
        caps = caps_for(ours, ours.parent / "more")
        assert strict(caps, "touch ../more/x; rm ../more/x").exit_code == 0
        more = ours.parent / "more"
        more.rmdir() if how == "rmdir" else more.rename(ours.parent / "old")
        if how == "link":
            more.symlink_to("private")
        elif how == "file":
            more.write_text("")
        for _ in range(2):
            result = strict(caps, "echo started; ls ../more")
            assert (result.exit_code, result.stdout) == (126, b"")
            assert str(more).encode() in result.stderr


class TestRecord:
    def test_the_record_says_so(self, ours: Path) -> None:
        caps = caps_for(ours)
        record = nono_py.plan(caps, isolation="strict")
        assert record["isolation"] == "strict"
        by = {entry["boundary"]: entry["enforced_by"] for entry in record["boundaries"]}
        assert by["file status outside grants"] == "mount namespace"
        for isolation in ("process", "namespaces"):
            other = nono_py.plan(caps, isolation=isolation)  # type: ignore[arg-type]
            assert {"boundary": "file status outside grants", "enforced_by": "nothing"}.items() <= next(
                entry for entry in other["boundaries"] if entry["boundary"] == "file status outside grants"
            ).items()

    def test_landlock_and_seccomp_are_those_of_namespaces(self, ours: Path) -> None:
        strict, namespaces = (nono_py.plan(caps_for(ours), isolation=how) for how in ("strict", "namespaces"))  # type: ignore[arg-type]
        for part in ("grants", "network", "seccomp", "limits", "kernel"):
            assert strict[part] == namespaces[part]


class TestKeepers:
    def test_alternating_sets(self, ours: Path) -> None:
        """Each command sees its own set's grants, whichever keeper serves it."""
        sets = []
        for i in range(6):
            (ours.parent / f"d{i}").mkdir()
            caps = caps_for(ours, ours.parent / f"d{i}")
            if i % 2:
                caps.allow_file("/dev/null", AccessMode.READ)
            sets.append(caps)
        for n in range(200):
            i = n % 6 if n % 7 else (n // 7) % 6
            how = "strict" if n % 5 else "namespaces"
            script = "for d in ../d*; do :; done; for i in 0 1 2 3 4 5; do test -e ../d$i && echo -n $i; done; :"
            result = shell(sets[i], script, isolation=how, cwd=str(ours))
            assert result.stdout.decode() == (str(i) if how == "strict" else "012345"), (n, result.stderr)

    def test_a_link_more_takes_another_view(self, ours: Path) -> None:
        (ours.parent / "alias").symlink_to("ours")
        plain, linked = caps_for(ours), caps_for(ours.parent / "alias")
        for _ in range(3):
            assert strict(plain, "test -e ../alias").exit_code == 1
            assert strict(linked, "test -e ../alias").exit_code == 0

    def test_nothing_is_left_on_the_host(self, ours: Path) -> None:
        code = """
import os, json
mounts = lambda: open('/proc/self/mountinfo').read()
names = lambda: [sorted(os.listdir(path)) for path in ('/', sys.argv[2])]
before = mounts(), names(), len(os.listdir('/proc/self/fd'))
for i in range(20):
    caps = caps_for(sys.argv[1])
    if i % 2: caps.allow_path('/proc', AccessMode.READ)
    assert shell(caps, 'true', isolation='strict', cwd=sys.argv[1]).exit_code == 0
after = mounts(), names(), len(os.listdir('/proc/self/fd'))
print(before[:2] == after[:2], after[2] - before[2] < 30)
"""
        assert host(code, ours, ours.parent).stdout == b"True True\n"

    def test_mounts_made_later_are_seen_in_grants(self, ours: Path) -> None:
        if os.geteuid() != 0:
            pytest.skip("expected: needs root")
        (ours / "m").mkdir()
        caps = caps_for(ours)
        assert strict(caps, "ls m").stdout == b""
        subprocess.run(["mount", "-t", "tmpfs", "none", ours / "m"], check=True)
        try:
            (ours / "m" / "f").write_text("")
            assert strict(caps, "ls m").stdout == b"f\n"
        finally:
            subprocess.run(["umount", ours / "m"], check=True)
        assert strict(caps, "ls m").stdout == b""


def test_the_command_line(ours: Path) -> None:
    nono = os.environ.get("NONO_CLI") or shutil.which("nono")
    if nono is None:
        pytest.skip("expected: the nono command is not installed")
    words = [nono, "run", "--isolation", "strict", "--allow", ".", "--block-net"]
    script = "test -e ../secret || echo none; awk 'BEGIN { print \"awk\" }'"
    done = subprocess.run([*words, "--", "sh", "-c", script], cwd=ours, capture_output=True, check=False)
    assert done.stdout.startswith(b"none\n"), done.stderr
    told = b"nono: what is not granted is not there (--isolation strict)\n"
    for line in ("cat ../secret", "cat ../missing", f"echo 'cat: {ours.parent}/secret: Permission denied' >&2; cat ../private/file"):
        done = subprocess.run([*words, "--", "sh", "-c", line], cwd=ours, capture_output=True, check=False)
        assert done.stderr.endswith(told), done.stderr
        assert done.stderr.count(b"nono:") == 1, "nor does it tell what exists"
    done = subprocess.run([*words, "--dry-run", "--", "sh"], cwd=ours, capture_output=True, check=False)
    assert b"isolation    strict" in done.stdout
    done = subprocess.run([*words, "--dry-run", "--json", "--", "sh"], cwd=ours, capture_output=True, check=False)
    assert json.loads(done.stdout)["isolation"] == "strict"
