"""The nono program for the tests: as whoever runs them and, when that is root, as nobody too.

The program is the one named by NONO_BIN or NONO_CLI, else the newest one below build/.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534
PYTHON = "/usr/bin/python3"


def find_program():
    for variable in ("NONO_BIN", "NONO_CLI"):
        if os.environ.get(variable):
            return pathlib.Path(os.environ[variable])
    built = sorted(CHECKOUT.glob("build/*/nono"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise RuntimeError("no nono program: build it, or name it with NONO_BIN")
    return built[-1]


class Nono:
    """Runs nono as one user. `home` is a directory of that user's, empty, reachable, removed later."""

    def __init__(self, program, home, prefix):
        self.program, self.home, self.prefix = program, home, prefix
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}

    def directory(self, name):
        path = self.home / name
        path.mkdir()
        self._own(path)
        return path

    def file(self, name, content="", mode=0o644):
        path = self.home / name
        path.write_text(content)
        path.chmod(mode)
        self._own(path)
        return path

    def _own(self, path):
        if self.prefix:
            os.chown(path, NOBODY, NOBODY)

    def words(self, *words):
        return [*self.prefix, str(self.program), *map(str, words)]

    def __call__(self, *words, environment=None, **options):
        options = {"stdin": subprocess.DEVNULL, "capture_output": True, "timeout": 60, "cwd": self.home} | options
        if "input" in options:
            del options["stdin"]
        return subprocess.run(self.words(*words), env=self.environment | (environment or {}), **options)

    def start(self, *words, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "cwd": self.home} | options
        return subprocess.Popen(self.words(*words), env=self.environment, **options)

    def run(self, *words, **options):
        return self("run", *words, **options)

    def python(self, flags, code, **options):
        return self.run(*flags, "--", PYTHON, "-I", "-S", "-c", code, **options)


@pytest.fixture(scope="session")
def shared_directory():
    # Not tmp_path: another user must be able to get there.
    directory = pathlib.Path(tempfile.mkdtemp(prefix="nono-cli-", dir="/var/tmp"))
    directory.chmod(0o755)
    shutil.copy(find_program(), directory / "nono")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(params=["self", "nobody"])
def nono(request, shared_directory):
    prefix = []
    if request.param == "nobody":
        if os.getuid() != 0:
            pytest.skip("expected: only root can become nobody")
        prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    home = pathlib.Path(tempfile.mkdtemp(dir=shared_directory))
    if prefix:
        os.chown(home, NOBODY, NOBODY)
    yield Nono(shared_directory / "nono", home, prefix)
    shutil.rmtree(home)


class Marked:
    """Processes that carry a word on their command line."""

    def __init__(self):
        self.word = f"98765.{os.getpid()}{time.monotonic_ns() % 10**9}"  # also a time to sleep for

    def running(self):
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:1] == [b"sleep"] and self.word.encode() in words:
                found.append(int(entry.name))
        return found

    def wait_for(self, count, seconds=10):
        end = time.monotonic() + seconds
        while len(self.running()) != count:
            assert time.monotonic() < end, f"{len(self.running())} processes, not {count}"
            time.sleep(0.02)


@pytest.fixture
def marked():
    return Marked()
