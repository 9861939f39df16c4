"""While `nono run` waits for its command, no other process of the same user sees into it, and it leaves no core."""

import errno
import json
import os
import pathlib
import resource
import signal
import subprocess

import pytest

PYTHON = "/usr/bin/python3"

# What somebody who wants something of a process tries, each with its errno: 0 is success.
LOOK = """
import ctypes, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
pid = int(sys.argv[1])

def called(function, *arguments):
    result = function(*[ctypes.c_void_p(argument) for argument in arguments])
    return ctypes.get_errno() if result == -1 else 0

def tried(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return error.errno
    return 0

def into(name):
    return f"/proc/{pid}/{name}"

found = {name: tried(os.close, os.open(into(name), flags)) if not (failed := tried(os.open, into(name), flags))
         else failed for name, flags in (("environ", os.O_RDONLY), ("maps", os.O_RDONLY), ("mem", os.O_RDWR))}
found["descriptors"] = tried(os.listdir, into("fd"))
found["working directory"] = tried(os.readlink, into("cwd"))
here = ctypes.create_string_buffer(16)
piece = (ctypes.c_size_t * 2)(ctypes.addressof(here), 1)
nowhere = (ctypes.c_size_t * 2)(0, 1)
found["read memory"] = called(libc.process_vm_readv, pid, ctypes.addressof(piece), 1, ctypes.addressof(nowhere), 1, 0)
found["take a descriptor"] = called(libc.syscall, 438, os.pidfd_open(pid), 1, 0)
found["trace"] = called(libc.ptrace, 0x4206, pid, 0, 0)  # PTRACE_SEIZE, which does not stop it
print(json.dumps(found))
"""


def look_into(nono, pid):
    done = subprocess.run([*nono.prefix, PYTHON, "-I", "-S", "-c", LOOK, str(pid)], stdout=subprocess.PIPE, timeout=60,
                          check=True)
    return json.loads(done.stdout)


def keepers_of(pid):
    """Those of nono's processes that never exec and share its memory: the keeper, and the init."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == "nono-keeper" and int(rest.split()[1]) == pid:
            found += [int(entry.name), *keepers_of(int(entry.name))]
    return found


class Started:
    """A command of nono's whose first act was to write a line."""

    def __init__(self, nono, *flags, **options):
        words = [*flags, "--", "sh", "-c", "echo started; exec sleep 60"]
        self.process = nono.start("run", *words, **options)
        self.pid = self.process.pid
        assert self.process.stdout.readline() == b"started\n", self.process.communicate(timeout=60)[1].decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate(timeout=60)


@pytest.fixture(params=["process", "namespaces", "strict"])
def isolation(nono, request):
    done = nono.run("--isolation", request.param, "--cwd", "/usr", "--", "true")
    if request.param != "process" and done.returncode == 126:
        pytest.skip("expected: no namespaces here: " + done.stderr.decode().splitlines()[0])
    return request.param


SUPERVISED = ["--deny", "/**/.env"]


@pytest.mark.parametrize("flags", [[], SUPERVISED], ids=["", "supervised"])
def test_nobody_sees_into_it(nono, isolation, flags):
    if os.getuid() == 0 and not nono.prefix:
        pytest.skip("expected: root sees into everything")
    home = nono.directory("work")
    with Started(nono, "--isolation", isolation, "--allow", home, *flags, cwd=home) as started:
        seen = {pid: look_into(nono, pid) for pid in [started.pid, *keepers_of(started.pid)]}
    assert len(seen) == (2 if isolation == "process" else 3)
    for found in seen.values():
        assert set(found.values()) <= {errno.EACCES, errno.EPERM}, found


def test_an_ordinary_process_is_seen_into(nono):
    """So that the test above says something of nono."""
    with subprocess.Popen([*nono.prefix, "sh", "-c", "echo started; exec sleep 60"], stdout=subprocess.PIPE) as plain:
        assert plain.stdout.readline() == b"started\n"
        found = look_into(nono, plain.pid)
        plain.kill()
    assert found["environ"] == found["descriptors"] == 0, found


@pytest.mark.parametrize("flags", [[], ["--uid", "1000", "--unprotect", "all"]], ids=["", "uid"])
def test_a_crash_leaves_no_core(nono, isolation, flags):
    if flags and (os.getuid() != 0 or nono.prefix):
        pytest.skip("expected: needs root")
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard == 0:
        pytest.skip("expected: no process here leaves a core")
    home = nono.directory("work")
    with Started(nono, "--isolation", isolation, "--allow", home, *flags, cwd=home,
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))) as started:
        os.kill(started.pid, signal.SIGSEGV)
        end = os.waitid(os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
    assert (end.si_status, end.si_code) == (signal.SIGSEGV, os.CLD_KILLED)  # else CLD_DUMPED
    assert list(home.iterdir()) == []


# Denied paths are watched in the keeper's list of mounts.
def test_a_proc_that_hides_processes_from_their_user(nono, isolation):
    if not nono.prefix:
        pytest.skip("expected: needs root, which becomes nobody")
    home = nono.directory("work")
    nono.file("work/secret", "secret")
    hide = ["unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2 none /proc && exec "$@"', "-"]
    done = subprocess.run([*hide, *nono.words("run", "--isolation", isolation, "--allow", home, "--deny", home / "secret",
                                              "--", "sh", "-c", "echo started; cat secret")],
                          env=nono.environment, capture_output=True, timeout=60, cwd=home)
    assert done.stdout == b"started\n", done.stderr
    assert b"Permission denied" in done.stderr
