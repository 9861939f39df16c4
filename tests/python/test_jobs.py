"""sandboxed_job: commands in the background, whose last output is kept, and which end with whoever has them."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from nono_py import AccessMode, CapabilitySet, Job, sandboxed_job

from hosts import (
    a_word,
    assert_nothing_left,
    eventually,
    in_host,
    open_descriptors,
    peak_resident,
    resident,
    running,
    start_host,
)
from support import GENEROUS, can_use_namespaces, caps_for

MIB = 1024 * 1024
ENV = [("PATH", "/usr/bin:/bin"), ("LC_ALL", "C.UTF-8")]
TREE = "sleep {word} & setsid sleep {word} & (setsid sleep {word} &); echo started; sleep {word}"


@pytest.fixture(params=["process", "namespaces"])
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param == "namespaces" and not can_use_namespaces():
        pytest.skip("expected: this host allows no namespaces")
    return str(request.param)


def start(script: str, caps: CapabilitySet | None = None, **options: Any) -> Job:
    options.setdefault("timeout_secs", GENEROUS)
    if caps is None:
        caps = caps_for()
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)  # the input of what bash runs in the background
    return sandboxed_job(caps, ["/bin/bash", "-c", script], cwd="/", env=ENV, **options)


def grow(word: str, isolation: str = "process", **options: Any) -> Job:
    job = start(TREE.format(word=word), isolation=isolation, **options)
    eventually(lambda: len(running(word)) == 4 and job.tail(8) == b"started\n")
    return job


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, GENEROUS))


# --- output and end --------------------------------------------------------------------------------


def test_output_is_there_while_it_runs(work: Path, isolation: str) -> None:
    go = work / "go"
    script = f"echo first; echo second >&2; until [ -e {go} ]; do sleep 0.01; done; echo third; exit 3"
    job = start(script, caps_for(work), isolation=isolation)
    eventually(lambda: len(job.tail(100)) == 13)
    status = job.poll()
    assert (status.running, status.exit_code, status.output) == (True, None, b"first\nsecond\n")
    assert (status.position, status.dropped_bytes) == (13, 0)
    assert job.poll().output == b""
    go.touch()
    result = job.wait()
    assert (result.exit_code, result.stdout, result.stderr) == (3, b"first\nsecond\nthird\n", b"")
    status = job.poll()
    assert (status.running, status.exit_code, status.output, status.position) == (False, 3, b"third\n", 19)
    assert job.poll(since=6).output == b"second\nthird\n"
    assert job.poll().output == b""
    assert [job.poll(since=since).output for since in (0, 18, 19, 2**63)] == [
        b"first\nsecond\nthird\n", b"\n", b"", b"",
    ]  # fmt: skip
    assert [job.tail(count) for count in (0, 1, 6, 10**9)] == [b"", b"\n", b"third\n", result.stdout]


def test_true_order() -> None:
    result = start("for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done").wait()
    assert result.stdout == b"o1\ne1\no2\ne2\no3\ne3\no4\ne4\no5\ne5\n"


def test_only_the_last_bytes_are_kept() -> None:
    job = start("yes | head -c 5000000; echo the end", max_output_bytes=1000)
    result = job.wait()
    assert len(result.stdout) == 1000
    assert result.stdout.endswith(b"y\nthe end\n")
    assert (result.truncated, result.dropped_bytes) == (True, 4_999_008)
    status = job.poll()
    assert (status.output, status.position, status.dropped_bytes) == (result.stdout, 5_000_008, 4_999_008)
    status = job.poll(since=4_000_000)
    assert (status.output, status.dropped_bytes) == (result.stdout, 999_008)
    assert job.poll(since=5_000_000).dropped_bytes == 0
    assert start("echo x", max_output_bytes=0).wait().dropped_bytes == 2


def test_a_gigabyte_needs_no_more_memory_than_its_bound() -> None:
    in_host(gigabyte)


def gigabyte() -> None:
    caps = caps_for()
    caps.allow_file("/dev/zero", AccessMode.READ)
    start("true").wait()
    before = resident()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
    polled = start("head -c 1073741824 /dev/zero; echo the end", caps)
    alone = start("head -c 1073741824 /dev/zero; echo the end", caps)
    while polled.poll().running:
        time.sleep(0.01)
    alone.wait()
    assert peak_resident() - before < 20 * MIB
    for job in (polled, alone):
        status = job.poll(since=0)
        assert status.position == 1024 * MIB + 8
        assert len(status.output) == MIB
        assert status.output.endswith(b"the end\n")


def test_nobody_need_poll(work: Path) -> None:
    """The command never waits for a reader."""
    done = work / "done"
    job = start(f"yes | head -c 50000000; touch {done}; sleep 1000", caps_for(work))
    eventually(done.exists)
    assert job.poll().position == 50_000_000
    job.stop()


def test_pollers_are_not_kept_out_by_a_flood() -> None:
    job = start("yes", max_output_bytes=100)
    positions = [job.poll().position for _ in range(2000)]
    assert positions == sorted(positions)
    assert job.poll().running
    job.stop()


def test_deadline() -> None:
    result = start("echo early; sleep 1000", timeout_secs=1).wait()
    assert (result.exit_code, result.timed_out, result.stdout) == (124, True, b"early\n")
    assert start("sleep 1000", timeout_secs=0).wait().timed_out


def test_no_daemon_outlives_its_job() -> None:
    word = a_word()
    result = start(f"setsid sleep {word} & sleep {word} & echo done").wait()
    assert (result.exit_code, result.stdout) == (0, b"done\n")
    assert running(word) == []


def test_refusals_are_results() -> None:
    caps = caps_for()
    caps.allow_localhost_port(0)
    for job, code in (
        (start("true", caps), 126),
        (start("true", CapabilitySet()), 127),
        (sandboxed_job(caps_for(), ["/bin/true"], cwd="/etc/passwd"), 126),
    ):
        result = job.wait()
        assert result.exit_code == code
        assert result.stdout.startswith(b"nono: ")
        status = job.poll()
        assert (status.running, status.exit_code, status.output) == (False, code, result.stdout)
        assert status.position == len(result.stdout)
        assert job.poll().output == b""
        assert job.poll(since=6).output == result.stdout[6:]
        assert job.tail(5) == result.stdout[-5:]
        assert job.stop().exit_code == code


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="command must not be empty"):
        sandboxed_job(CapabilitySet(), [])
    with pytest.raises(RuntimeError, match="contains null byte"):
        start("echo a\0b")
    with pytest.raises(TypeError):
        start("true", nothing=1)
    job = start("true")
    for call in (lambda: job.poll(since=-1), lambda: job.tail(-1)):
        with pytest.raises(OverflowError):
            call()
    with pytest.raises(TypeError):
        job.poll(since="1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="NaN"):
        job.wait(timeout=float("nan"))


# --- waiting and stopping --------------------------------------------------------------------------


def test_waiting_has_a_limit() -> None:
    with start("sleep 1000") as job:
        for timeout in (-1, 0, 0.1):
            with pytest.raises(TimeoutError, match=f"still running after {timeout} seconds"):
                job.wait(timeout)
        assert job.poll().running
    assert job.wait(0).signal == signal.SIGKILL
    assert start("true").wait(1e300).exit_code == 0


def test_waiting_has_a_limit_on_a_loop() -> None:
    async def scenario() -> None:
        job = start("sleep 1000")
        for timeout in (0, 0.1):
            with pytest.raises(TimeoutError, match=f"still running after {timeout} seconds"):
                await job.wait_async(timeout)
        cancelled = asyncio.ensure_future(job.wait_async())
        others = [asyncio.ensure_future(job.wait_async()) for _ in range(3)]
        await asyncio.sleep(0.1)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert job.poll().running
        assert (await job.stop_async()).signal == signal.SIGKILL
        assert [result.exit_code for result in await asyncio.gather(*others)] == [-signal.SIGKILL] * 3
        assert (await job.wait_async(0)).exit_code == -signal.SIGKILL

    run(scenario())


def stop(job: Job) -> None:
    assert job.stop().signal == signal.SIGKILL
    assert job.stop().exit_code == -signal.SIGKILL
    assert job.poll().exit_code == -signal.SIGKILL


def stop_on_a_loop(job: Job) -> None:
    assert run(job.stop_async()).signal == signal.SIGKILL


def stop_from_threads(job: Job) -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(job.stop().exit_code)) for _ in range(4)]
    waiting = threading.Thread(target=lambda: results.append(job.wait().exit_code))
    for thread in (waiting, *threads):
        thread.start()
    for thread in (waiting, *threads):
        thread.join()
    assert results == [-signal.SIGKILL] * 5


def leave_with(job: Job) -> None:
    with pytest.raises(ZeroDivisionError), job:
        raise ZeroDivisionError


@pytest.mark.parametrize("how", [stop, stop_on_a_loop, stop_from_threads, leave_with])
def test_stopping_ends_the_tree(how: Callable[[Job], None], isolation: str) -> None:
    word = a_word()
    how(grow(word, isolation))
    assert running(word) == []


def test_dropping_a_job_ends_the_tree(isolation: str) -> None:
    word = a_word()
    job = grow(word, isolation)
    del job
    assert running(word) == []


def test_a_signal_handler_that_raises_leaves_the_job() -> None:
    in_host(handler_that_raises)


def handler_that_raises() -> None:
    class Alarm(Exception):
        pass

    def handler(*_: object) -> None:
        raise Alarm

    signal.signal(signal.SIGALRM, handler)
    job = start("sleep 1; echo done")
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(Alarm):
        job.wait()
    assert job.wait().stdout == b"done\n"


# --- hosts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_jobs_die_with_their_host(isolation: str, how: int) -> None:
    word = a_word()
    host = start_host(host_with_jobs, word, isolation, prefix=[])
    try:
        eventually(lambda: len(running(word)) == 8 or host.poll() is not None)
        assert len(running(word)) == 8
        os.kill(host.pid, how)
    finally:
        host.kill()
        assert host.communicate()[1] == b""
    eventually(lambda: not running(word))


def host_with_jobs(word: str, isolation: str) -> None:
    jobs = [grow_next_to(word, isolation) for _ in range(2)]
    time.sleep(GENEROUS)
    del jobs


def grow_next_to(word: str, isolation: str) -> Job:
    return start(TREE.format(word=word), isolation=isolation)


@pytest.mark.parametrize("ending", ["return", "sys.exit", "os._exit", "kept", "in a thread"])
def test_a_host_may_end_at_any_moment(ending: str) -> None:
    in_host(host_that_ends, ending)


def host_that_ends(ending: str) -> None:
    jobs = [start("yes"), start("sleep 1000"), start("true")]
    jobs[2].wait()
    if ending == "sys.exit":
        sys.exit(0)
    if ending == "os._exit":
        os._exit(0)
    if ending == "kept":
        sys.modules["kept"] = jobs  # type: ignore[assignment]  # until the interpreter is gone
    if ending == "in a thread":
        waiter = threading.Thread(target=jobs[1].wait, daemon=True)
        waiter.start()
        time.sleep(0.1)


def test_forks_leave_jobs_alone() -> None:
    in_host(forks_leave_jobs_alone)


def forks_leave_jobs_alone() -> None:
    job, flood, ended = start("echo early; sleep 1; echo late"), start("yes"), start("true")
    ended.wait()
    for _ in range(20):
        pid = os.fork()
        if pid == 0:
            try:
                in_fork(job, flood, ended)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
    pid = os.fork()  # one that ends as programs do, with them
    if pid == 0:
        assert start("echo own").wait().stdout == b"own\n"
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert job.wait().stdout == b"early\nlate\n"
    assert flood.poll().running
    flood.stop()
    assert_nothing_left()


def in_fork(job: Job, flood: Job, ended: Job) -> None:
    for each in (job, flood, ended):
        for call in (each.poll, each.wait, each.stop, lambda each=each: each.tail(1)):
            with pytest.raises(RuntimeError, match="belongs to the process that started it"):
                call()
    with job, flood, ended:
        pass
    del job, flood, ended, each, call
    gc.collect()


def test_a_killed_host_takes_its_jobs_along_though_a_fork_lives(isolation: str) -> None:
    word = a_word()
    host = start_host(host_with_a_fork, word, isolation, prefix=[])
    try:
        eventually(lambda: len(running(word)) == 4 or host.poll() is not None)
        assert len(running(word)) == 4
        os.kill(host.pid, signal.SIGKILL)
        host.wait()
        eventually(lambda: not running(word))
    finally:
        os.killpg(host.pid, signal.SIGKILL)  # the fork
        host.communicate()


def host_with_a_fork(word: str, isolation: str) -> None:
    job = start("true", isolation=isolation)
    job.wait()
    job = grow_next_to(word, isolation)
    os.fork()
    time.sleep(GENEROUS)
    del job


# --- many ------------------------------------------------------------------------------------------


def test_several_at_once() -> None:
    jobs = [start(f"echo {n}; sleep 0.2; echo {n}") for n in range(16)]
    assert [job.wait().stdout for job in jobs] == [f"{n}\n{n}\n".encode() for n in range(16)]


def test_nothing_is_left_behind() -> None:
    in_host(nothing_is_left_behind)


def nothing_is_left_behind() -> None:
    def several() -> None:
        jobs = [start("yes"), start("echo x"), start("sleep 1000", timeout_secs=0.1)]
        jobs[0].stop()
        jobs[2].wait()
        asyncio.run(jobs[1].wait_async())
        start("yes")

    for _ in range(3):
        several()  # the kept keepers have opened now what they open when they are used again
    descriptors, threads = open_descriptors(), len(os.listdir("/proc/self/task"))
    assert threads == 1
    for _ in range(10):
        several()
    gc.collect()
    assert len(open_descriptors()) <= len(descriptors)
    assert len(os.listdir("/proc/self/task")) == threads
    assert_nothing_left()
