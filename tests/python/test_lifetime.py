"""Nothing outlives a command, and nothing that it leaves behind holds up its caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import GENEROUS, PYTHON, can_use_namespaces, caps_for, host, outside, shell

ISOLATIONS = ["process", "namespaces"]

# Starts a process that is in no group, session or family of its parent, and appends to a file.
ESCAPE = """
import os, sys, time
if os.fork():
    {parent}
os.setsid()
if os.fork(): os._exit(0)
with open(sys.argv[1] + ".pid", "w") as file: file.write(str(os.getpid()))
while True:
    with open(sys.argv[1], "a") as file: file.write("x")
    time.sleep(0.01)
"""


@pytest.fixture(params=ISOLATIONS)
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param == "namespaces" and not can_use_namespaces():
        pytest.skip("expected: this host allows no namespaces")
    return str(request.param)


def wait_until_written(path: Path) -> None:
    deadline = time.monotonic() + GENEROUS
    while not (path.exists() and path.stat().st_size > 0):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_growing(path: Path) -> bool:
    """Has something been written within a good many of the writer's turns?"""
    before = path.stat().st_size
    time.sleep(0.3)
    return path.stat().st_size != before


def test_the_escape_works_outside(work: Path) -> None:
    out = work / "out"
    process = subprocess.Popen([PYTHON, "-c", ESCAPE.format(parent="os.wait(); time.sleep(1000)"), str(out)])
    try:
        wait_until_written(out)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert is_growing(out)
    finally:
        os.kill(int(Path(f"{out}.pid").read_text()), signal.SIGKILL)


def test_timeout_kills_the_tree_not_the_group(work: Path, isolation: str) -> None:
    out = work / "out"
    code = ESCAPE.format(parent="time.sleep(1000)")
    result = shell(caps_for(work), f"{PYTHON} -c '{code}' {out} & wait", timeout_secs=2, isolation=isolation)
    assert result.timed_out
    assert out.stat().st_size > 0
    assert not is_growing(out)


def test_background_processes_end_with_the_command(work: Path, isolation: str) -> None:
    out = work / "out"
    code = ESCAPE.format(parent="time.sleep(0.5); os._exit(0)")
    result = shell(caps_for(work), f"{PYTHON} -c '{code}' {out}", isolation=isolation)
    assert (result.exit_code, result.stderr) == (0, b"")
    assert out.stat().st_size > 0
    assert not is_growing(out)


def test_jobs_of_a_job_control_shell_end_too(work: Path, isolation: str) -> None:
    out = work / "out"
    script = f"set -m; (while :; do echo x >> {out}; sleep 0.01; done) & sleep 0.5; echo done"
    result = shell(caps_for(work), script, isolation=isolation)
    assert result.stdout == b"done\n"
    assert not is_growing(out)


@pytest.mark.parametrize("timeout", [None, 1000])
def test_pipe_held_by_background_child_does_not_hang(isolation: str, timeout: float | None) -> None:
    start = time.monotonic()
    result = shell(caps_for(), "setsid sleep 1000 & echo hi", timeout_secs=timeout, isolation=isolation)
    assert (result.exit_code, result.stdout) == (0, b"hi\n")
    assert time.monotonic() - start < 500


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_command_dies_with_its_caller(work: Path, isolation: str, how: str) -> None:
    out = work / "out"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from commands import *\n"
        f"shell(caps_for({str(work)!r}), sys.argv[1], timeout_secs=None, isolation={isolation!r})"
    )
    script = f"{PYTHON} -c '{ESCAPE.format(parent='time.sleep(1000)')}' {out}"
    caller = subprocess.Popen([sys.executable, "-c", code, script])
    try:
        wait_until_written(out)
    finally:
        caller.send_signal(getattr(signal, how))
        caller.wait()
    deadline = time.monotonic() + GENEROUS
    while is_growing(out):
        assert time.monotonic() < deadline


def test_command_outlives_the_thread_that_started_it() -> None:
    done = host(
        """
import threading, queue
from nono_py import _nono_py
box = []
def start():
    box.append(_nono_py._spawn(caps_for(), ["/bin/bash", "-c", "sleep 0.5; echo alive"], cwd="/"))
thread = threading.Thread(target=start); thread.start(); thread.join()
import select
while not box[0].step(): select.select([box[0].fileno()], [], [])
print(box[0].result(timed_out=False).stdout)
"""
    )
    assert done.stdout == b"b'alive\\n'\n", done.stderr


def test_kill_minus_one_reaches_nobody_else(isolation: str) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "1000"])
    try:
        shell(caps_for(), "kill -9 -1; exit 0", isolation=isolation)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_signals_do_not_leave_the_sandbox(isolation: str) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "1000"])
    try:
        assert outside("import os, sys; os.kill(int(sys.argv[1]), 0)", bystander.pid).returncode == 0
        result = shell(caps_for(), f"kill -9 {bystander.pid}; kill -9 {os.getpid()}", isolation=isolation)
        assert result.exit_code != 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_command_may_kill_itself_and_its_children(isolation: str) -> None:
    result = shell(caps_for(), "sleep 1000 & kill -9 $!; wait $!; echo $?; kill -9 $$", isolation=isolation)
    assert (result.stdout, result.exit_code) == (b"137\n", -signal.SIGKILL)


def test_fork_bomb_ends_at_the_deadline(isolation: str) -> None:
    options = {"uid": 61235} if os.geteuid() == 0 else {}
    limit = 60 if os.geteuid() == 0 else _own_processes() + 60
    code = "import os\nwhile True:\n try: os.fork()\n except OSError: pass"
    result = shell(
        caps_for(),
        f"{PYTHON} -c '{code}'",
        timeout_secs=2,
        max_processes=limit,
        isolation=isolation,
        **options,
    )
    assert result.timed_out


def _own_processes() -> int:
    listing = subprocess.run(
        ["ps", "-L", "-u", str(os.geteuid()), "-o", "pid="], capture_output=True, check=False
    )
    return len(listing.stdout.splitlines())
