"""Output while it comes, jobs, stderr in the order of writing; all of it ends with whoever wanted it."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from test_execute import processes, wait_until

from langchain_nono import Job, NonoSandbox
from langchain_nono.output import ends_of

ALTERNATE = "for i in 1 2 3 4; do echo out$i; echo err$i >&2; done"
ALTERNATED = "out1\nerr1\nout2\nerr2\nout3\nerr3\nout4\nerr4\n"
GENEROUS = 60


def word_for(number: int) -> str:
    """A time to sleep for that no other process sleeps for."""
    return f"87654.{os.getpid()}{number}"


def tree(word: str) -> str:
    return f"sleep {word} & setsid sleep {word} & (setsid sleep {word} &); echo started; sleep {word}"


def count(word: str) -> int:
    return len([line for line in processes(f"sleep {word}") if line.startswith("sleep")])


def has_grown(word: str) -> bool:
    return wait_until(lambda: count(word) == 4, GENEROUS)


def is_gone(word: str) -> bool:
    return wait_until(lambda: count(word) == 0, GENEROUS)


@pytest.fixture
def merging(workspace: Path):  # type: ignore[no-untyped-def]
    with NonoSandbox(working_dir=str(workspace), stderr="merge") as sandbox:
        yield sandbox


# --- stderr ----------------------------------------------------------------------------------------


async def test_merged_output_has_the_order_of_writing(merging: NonoSandbox) -> None:
    for response in (merging.execute(f"{ALTERNATE}; exit 3"), await merging.aexecute(f"{ALTERNATE}; exit 3")):
        assert (response.output, response.exit_code, response.truncated) == (ALTERNATED, 3, False)


def test_the_tag_stays_the_default(sandbox: NonoSandbox) -> None:
    assert sandbox.execute("echo err >&2; echo out").output == "out\n\n<stderr>err</stderr>"


def test_other_places_for_stderr_are_refused(workspace: Path) -> None:
    with pytest.raises(ValueError, match="stderr must be 'tag' or 'merge', got 'stdout'"):
        NonoSandbox(working_dir=str(workspace), stderr="stdout")


def test_both_ends_of_a_merged_output_stay(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), stderr="merge", max_output_bytes=1000) as sandbox:
        response = sandbox.execute("echo the start; printf 'é%.0s' {1..100000}; echo the end >&2")
        assert response.truncated
        assert len(response.output.encode()) <= 1000
        assert response.output.startswith("the start\né")
        assert response.output.endswith("é" + "the end\n")
        assert "é\n[nono: output dropped here]\né" in response.output
        assert "\ufffd" not in response.output


@pytest.mark.parametrize("limit", [0, 1, 10, 40, 100])
def test_ends_are_bounded(limit: int) -> None:
    text, cut = ends_of(("ä" * 200).encode(), limit)
    assert cut
    assert len(text.encode()) <= limit
    assert "\ufffd" not in text
    assert ends_of(b"x" * limit, limit) == ("x" * limit, False)


# --- streams ---------------------------------------------------------------------------------------


def test_chunks_come_before_the_end(sandbox: NonoSandbox, workspace: Path) -> None:
    stream = sandbox.stream("echo first; until [ -e go ]; do sleep 0.01; done; echo last >&2; exit 3")
    assert next(stream) == ("stdout", "first\n")
    assert stream.exit_code is None
    (workspace / "go").touch()
    assert list(stream) == [("stderr", "last\n")]
    assert list(stream) == []
    assert stream.exit_code == 3


async def test_chunks_come_before_the_end_on_a_loop(sandbox: NonoSandbox, workspace: Path) -> None:
    threads = threading.active_count()
    stream = sandbox.astream("echo first; until [ -e go ]; do sleep 0.01; done; echo last >&2; exit 3")
    assert await anext(stream) == ("stdout", "first\n")
    assert stream.exit_code is None
    assert threading.active_count() == threads
    (workspace / "go").touch()
    assert [chunk async for chunk in stream] == [("stderr", "last\n")]
    assert [chunk async for chunk in stream] == []
    assert stream.exit_code == 3


async def test_merged_streams_have_the_order_of_writing(merging: NonoSandbox) -> None:
    for chunks in (list(merging.stream(ALTERNATE)), [chunk async for chunk in merging.astream(ALTERNATE)]):
        assert {chunk.stream for chunk in chunks} == {"stdout"}
        assert "".join(chunk.text for chunk in chunks) == ALTERNATED


BY_BYTES = r"for byte in '\342' '\202' '\254' '\303' '\244' x '\377' '\342'; do printf $byte; sleep .02; done"


async def test_characters_are_never_cut(sandbox: NonoSandbox) -> None:
    """Each byte of these comes by itself; what is no UTF-8 becomes U+FFFD."""
    for script, name in ((BY_BYTES, "stdout"), (f"({BY_BYTES}) >&2", "stderr")):
        for chunks in (list(sandbox.stream(script)), [chunk async for chunk in sandbox.astream(script)]):
            assert {chunk.stream for chunk in chunks} == {name}
            assert "".join(chunk.text for chunk in chunks) == "€äx\ufffd\ufffd"
            assert all(chunk.text for chunk in chunks)


def test_more_than_one_result_may_hold_is_streamed(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), max_output_bytes=100) as sandbox:
        assert sum(len(chunk.text) for chunk in sandbox.stream("yes | head -c 5000000")) == 5_000_000


async def test_timeouts_keep_what_was_written(sandbox: NonoSandbox) -> None:
    script = "echo early; echo too >&2; setsid sleep 1000 & sleep 1000"
    astream = sandbox.astream(script, timeout=1)
    assert sorted([chunk async for chunk in astream]) == [("stderr", "too\n"), ("stdout", "early\n")]
    stream = sandbox.stream(script, timeout=1)
    assert sorted(stream) == [("stderr", "too\n"), ("stdout", "early\n")]
    assert (stream.exit_code, astream.exit_code) == (124, 124)
    job = sandbox.start(script, timeout=1)
    responses = (sandbox.execute(script, timeout=1), await sandbox.aexecute(script, timeout=1))
    assert [(r.output, r.exit_code) for r in responses] == [("early\n\n<stderr>too</stderr>", 124)] * 2
    assert (job.wait().output, job.wait().exit_code) == ("early\ntoo\n", 124)


def test_the_timeout_holds_though_nobody_listens(sandbox: NonoSandbox) -> None:
    word = word_for(1)
    stream = sandbox.stream(tree(word), timeout=1)
    assert has_grown(word)
    assert is_gone(word)
    assert list(stream) == [("stdout", "started\n")]
    assert stream.exit_code == 124


def test_a_refused_sandbox_says_so(sandbox: NonoSandbox, workspace: Path) -> None:
    os.rename(workspace, workspace.with_name("elsewhere"))
    workspace.mkdir()
    stream, job = sandbox.stream("true"), sandbox.start("true")
    (chunk,) = stream
    assert chunk.stream == "stderr"
    assert chunk.text.startswith("nono: ")
    assert stream.exit_code == 126
    assert job.wait().exit_code == 126
    assert job.poll().output.startswith("nono: ")


# --- listeners that leave --------------------------------------------------------------------------


def break_out(sandbox: NonoSandbox, word: str) -> None:
    for _ in sandbox.stream(tree(word)):
        assert has_grown(word)
        break


def close_stream(sandbox: NonoSandbox, word: str) -> None:
    stream = sandbox.stream(tree(word))
    next(stream)
    assert has_grown(word)
    stream.close()
    stream.close()
    assert list(stream) == []
    assert stream.exit_code == -signal.SIGKILL


def leave_with(sandbox: NonoSandbox, word: str) -> None:
    with pytest.raises(ZeroDivisionError), sandbox.stream(tree(word)) as stream:
        next(stream)
        assert has_grown(word)
        raise ZeroDivisionError


def close_sandbox(sandbox: NonoSandbox, word: str) -> None:
    stream = sandbox.stream(tree(word))
    next(stream)
    assert has_grown(word)
    sandbox.close()
    assert list(stream) == []


@pytest.mark.parametrize("leave", [break_out, close_stream, leave_with, close_sandbox])
def test_the_tree_ends_with_its_listener(
    sandbox: NonoSandbox, leave: Callable[[NonoSandbox, str], None]
) -> None:
    word = word_for(2)
    leave(sandbox, word)
    assert count(word) == 0


async def test_the_tree_ends_with_its_listener_on_a_loop(sandbox: NonoSandbox) -> None:
    word = word_for(3)

    async for _ in sandbox.astream(tree(word)):
        assert await asyncio.to_thread(has_grown, word)
        break
    assert await asyncio.to_thread(is_gone, word)

    async with sandbox.astream(tree(word)) as stream:
        await anext(stream)
        assert await asyncio.to_thread(has_grown, word)
    assert count(word) == 0
    assert [chunk async for chunk in stream] == []
    assert stream.exit_code == -signal.SIGKILL

    stream = sandbox.astream(tree(word))
    await anext(stream)
    waiting = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    assert await asyncio.to_thread(has_grown, word)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert count(word) == 0

    stream = sandbox.astream(tree(word))
    await anext(stream)
    assert await asyncio.to_thread(has_grown, word)
    sandbox.close()
    assert [chunk async for chunk in stream] == []
    assert count(word) == 0
    assert stream.exit_code == -signal.SIGKILL


# --- jobs ------------------------------------------------------------------------------------------


def test_a_job_is_polled(sandbox: NonoSandbox, workspace: Path) -> None:
    job = sandbox.start("echo first; echo second >&2; until [ -e go ]; do sleep 0; done; echo third; exit 3")
    assert wait_until(lambda: job.tail(100) == "first\nsecond\n", GENEROUS)
    assert job.poll() == (True, None, "first\nsecond\n", 13, 0)
    assert job.poll() == (True, None, "", 13, 0)
    (workspace / "go").touch()
    response = job.wait()
    assert (response.output, response.exit_code, response.truncated) == ("first\nsecond\nthird\n", 3, False)
    assert not job.running
    assert job.poll() == (False, 3, "third\n", 19, 0)
    assert job.poll(since=6) == (False, 3, "second\nthird\n", 19, 0)
    assert job.tail(6) == "third\n"


def test_polled_characters_are_never_cut(sandbox: NonoSandbox) -> None:
    job = sandbox.start(BY_BYTES)
    texts = []
    while job.running:
        texts.append(job.poll().output)
        time.sleep(0.005)
    texts.append(job.poll().output)
    assert len([text for text in texts if text]) > 1
    assert "".join(texts) == "€äx\ufffd\ufffd"
    ends = ["\ufffd", "x\ufffd\ufffd", "x\ufffd\ufffd", "äx\ufffd\ufffd"]
    assert [job.tail(n) for n in (1, 3, 4, 5)] == ends


def test_a_job_keeps_the_end_of_its_output(workspace: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), max_output_bytes=1001) as sandbox:
        job = sandbox.start("printf 'é%.0s' {1..100000}; echo the end")
        response = job.wait()
        assert response.truncated
        assert response.output == "é" * 496 + "the end\n"
        status = job.poll()
        assert status.output == response.output
        assert (status.position, status.dropped_bytes) == (200_008, 199_007)
        flood = sandbox.start(r"yes $'\377' | head -c 5000")
        assert flood.wait().truncated
        assert len(flood.wait().output.encode()) <= 1001


async def test_a_job_is_waited_for_and_stopped(sandbox: NonoSandbox) -> None:
    word = word_for(4)
    job = sandbox.start(tree(word))
    with pytest.raises(TimeoutError):
        job.wait(0.1)
    with pytest.raises(TimeoutError):
        await job.wait_async(0.1)
    assert await asyncio.to_thread(has_grown, word)
    assert (await job.stop_async()).exit_code == -signal.SIGKILL
    assert count(word) == 0
    assert (job.stop().output, job.stop().exit_code) == ("started\n", -signal.SIGKILL)
    assert (await job.wait_async()).exit_code == -signal.SIGKILL


def test_several_jobs_at_once(sandbox: NonoSandbox) -> None:
    jobs = [sandbox.start(f"echo {n}; sleep 0.2; echo {n}") for n in range(10)]
    assert sandbox.execute("echo meanwhile").output == "meanwhile\n"
    assert [job.wait().output for job in jobs] == [f"{n}\n{n}\n" for n in range(10)]


def test_a_job_that_nobody_has_runs_on(sandbox: NonoSandbox) -> None:
    word = word_for(5)
    sandbox.start(tree(word))
    gc.collect()
    assert has_grown(word)
    sandbox.start("true").wait()
    assert count(word) == 4
    sandbox.close()
    assert count(word) == 0


def test_jobs_end_with_the_sandbox_object(workspace: Path) -> None:
    sandbox = NonoSandbox(working_dir=str(workspace))
    word = word_for(6)
    job = sandbox.start(tree(word))
    assert has_grown(word)
    del sandbox
    assert count(word) == 0
    assert job.poll().exit_code == -signal.SIGKILL


HOST = """
import os, sys, time
from langchain_nono import NonoSandbox
sandbox = NonoSandbox(working_dir=sys.argv[1])
sandbox.start(sys.argv[2])
stream = sandbox.stream(sys.argv[2])
for line in sys.stdin:
    exec(line)
"""


def a_host(workspace: Path, word: str) -> subprocess.Popen[str]:
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(workspace), tree(word)], stdin=subprocess.PIPE, text=True
    )
    assert wait_until(lambda: count(word) == 8, GENEROUS)
    return host


def test_jobs_and_streams_die_with_their_host(workspace: Path) -> None:
    word = word_for(7)
    host = a_host(workspace, word)
    host.kill()
    host.wait()
    assert is_gone(word)


@pytest.mark.parametrize("last", ["pass", "sys.exit(0)", "os._exit(0)", "1 / 0"])
def test_a_host_may_end_at_any_moment(workspace: Path, last: str) -> None:
    word = word_for(8)
    host = a_host(workspace, word)
    host.communicate(f"{last}\n", timeout=GENEROUS)
    assert is_gone(word)


def test_a_fork_leaves_jobs_alone(workspace: Path) -> None:
    word = word_for(9)
    host = a_host(workspace, word)
    fork = "pid = os.fork() or (sandbox.start('true').wait(), sandbox.close(), sys.exit(0))"
    host.stdin.write(f"{fork}\nassert os.waitpid(pid, 0)[1] == 0\nopen('{workspace}/forked', 'w')\n")  # type: ignore[union-attr]
    host.stdin.flush()  # type: ignore[union-attr]
    assert wait_until((workspace / "forked").exists, GENEROUS)
    assert count(word) == 8
    host.communicate("sandbox.close()\n", timeout=GENEROUS)
    assert host.returncode == 0
    assert is_gone(word)


# --- errors ----------------------------------------------------------------------------------------


@pytest.fixture(params=["stream", "astream", "start"])
def starts(request: pytest.FixtureRequest, sandbox: NonoSandbox) -> Callable[..., object]:
    return getattr(sandbox, request.param)  # type: ignore[no-any-return]


async def test_errors_come_at_once(sandbox: NonoSandbox, starts: Callable[..., object]) -> None:
    for timeout in (0, -1):
        with pytest.raises(ValueError, match=f"timeout must be positive, got {timeout}"):
            starts("true", timeout=timeout)
    for command in ("echo a\0b", "echo \ud800"):
        with pytest.raises(ValueError):
            starts(command)
    sandbox.close()
    with pytest.raises(RuntimeError, match="the sandbox is closed"):
        starts("true")


def test_closing_while_others_start(workspace: Path) -> None:
    """What is started next to `close()` either ends with it or is refused."""
    for _ in range(10):
        sandbox = NonoSandbox(working_dir=str(workspace))
        word = word_for(10)
        started: list[Job] = []

        def start(sandbox: NonoSandbox = sandbox, word: str = word, started: list[Job] = started) -> None:
            try:
                while True:
                    started.append(sandbox.start(f"sleep {word}"))
            except RuntimeError as error:
                assert "closed" in str(error)

        thread = threading.Thread(target=start)
        thread.start()
        time.sleep(0.02)
        sandbox.close()
        thread.join()
        assert count(word) == 0
        assert not any(job.running for job in started)
