"""sandboxed_stream and its asynchronous twin: output as it comes, in order, within a bound, and ended with whoever
listens. stderr="stdout" of all that run commands.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from nono_py import (
    AccessMode,
    CapabilitySet,
    ExecResult,
    Stream,
    sandboxed_exec,
    sandboxed_exec_async,
    sandboxed_stream,
    sandboxed_stream_async,
)

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
ALTERNATE = "for i in 1 2 3 4 5 6 7 8; do echo out$i; echo err$i >&2; done"
ALTERNATED = "".join(f"out{i}\nerr{i}\n" for i in range(1, 9)).encode()

Chunks = list[tuple[str, bytes]]


@pytest.fixture(params=["process", "namespaces"])
def isolation(request: pytest.FixtureRequest) -> str:
    if request.param == "namespaces" and not can_use_namespaces():
        pytest.skip("expected: this host allows no namespaces")
    return str(request.param)


def arguments(script: str, **options: Any) -> dict[str, Any]:
    options.setdefault("timeout_secs", GENEROUS)
    caps = options.pop("caps", None)
    if caps is None:
        caps = caps_for()
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)  # the input of what bash runs in the background
    return {"caps": caps, "command": ["/bin/bash", "-c", script], "cwd": "/", "env": ENV, **options}


def stream(script: str, **options: Any) -> Stream:
    return sandboxed_stream(**arguments(script, **options))


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, GENEROUS))


def collect(script: str, **options: Any) -> tuple[Chunks, ExecResult]:
    output = stream(script, **options)
    chunks = list(output)
    assert output.result is not None
    return chunks, output.result


def collect_async(script: str, **options: Any) -> tuple[Chunks, ExecResult]:
    async def scenario() -> tuple[Chunks, ExecResult]:
        output = sandboxed_stream_async(**arguments(script, **options))
        chunks = [chunk async for chunk in output]
        assert output.result is not None
        return chunks, output.result

    return run(scenario())  # type: ignore[no-any-return]


@pytest.fixture(params=[collect, collect_async], ids=["sync", "async"])
def collected(request: pytest.FixtureRequest) -> Callable[..., tuple[Chunks, ExecResult]]:
    return request.param  # type: ignore[no-any-return]


Collect = Callable[..., tuple[Chunks, ExecResult]]


def joined(chunks: Chunks, name: str) -> bytes:
    return b"".join(data for stream_name, data in chunks if stream_name == name)


# --- what comes ------------------------------------------------------------------------------------


def test_both_streams_and_the_end(collected: Collect, isolation: str) -> None:
    chunks, result = collected("echo out; echo err >&2; cat; exit 3", stdin=b"in", isolation=isolation)
    assert {name for name, _ in chunks} == {"stdout", "stderr"}
    assert all(data for _, data in chunks)
    assert (joined(chunks, "stdout"), joined(chunks, "stderr")) == (b"out\nin", b"err\n")
    assert (result.exit_code, result.stdout, result.stderr, result.timed_out) == (3, b"", b"", False)
    assert result.duration > 0


def test_true_order(collected: Collect) -> None:
    chunks, _ = collected(ALTERNATE, stderr="stdout")
    assert {name for name, _ in chunks} == {"stdout"}
    assert joined(chunks, "stdout") == ALTERNATED


def test_true_order_of_one_result() -> None:
    results = [
        sandboxed_exec(**arguments(ALTERNATE, stderr="stdout")),
        run(sandboxed_exec_async(**arguments(ALTERNATE, stderr="stdout"))),
    ]
    assert [(result.stdout, result.stderr) for result in results] == [(ALTERNATED, b"")] * 2


def test_diagnostics_read_what_was_merged() -> None:
    script = "cat /etc/passwd"
    apart = sandboxed_exec(**arguments(script)).session_diagnostics()
    merged = sandboxed_exec(**arguments(script, stderr="stdout")).session_diagnostics()
    assert merged == apart


@pytest.mark.parametrize("stderr", ["", "merge", "STDOUT"])
def test_unknown_places_for_stderr_are_refused(stderr: str) -> None:
    for call in (sandboxed_exec, sandboxed_stream):
        with pytest.raises(ValueError, match=r"stderr must be 'pipe' or 'stdout', got '"):
            call(**arguments("true", stderr=stderr))


def test_chunks_come_before_the_end(work: Path) -> None:
    caps, go = caps_for(work), work / "go"
    output = stream(f"echo first; until [ -e {go} ]; do sleep 0.01; done; echo last", caps=caps)
    assert next(output) == ("stdout", b"first\n")
    assert output.result is None
    go.touch()
    assert list(output) == [("stdout", b"last\n")]
    assert list(output) == []


def test_chunks_come_before_the_end_on_a_loop(work: Path) -> None:
    caps, go = caps_for(work), work / "go"

    async def scenario() -> None:
        output = sandboxed_stream_async(
            **arguments(f"echo first; until [ -e {go} ]; do sleep 0.01; done; echo last", caps=caps)
        )
        assert await anext_of(output) == ("stdout", b"first\n")
        assert output.result is None
        assert threading.active_count() == threads
        go.touch()
        assert [chunk async for chunk in output] == [("stdout", b"last\n")]
        assert [chunk async for chunk in output] == []

    threads = threading.active_count()
    run(scenario())


async def anext_of(output: AsyncIterator[tuple[str, bytes]]) -> tuple[str, bytes]:
    return await output.__anext__()


def test_bytes_are_bytes(collected: Collect) -> None:
    data = os.urandom(1000) * 3000
    chunks, _ = collected("cat", stdin=data)
    assert joined(chunks, "stdout") == data


def test_what_lies_in_the_pipe_at_the_end_is_delivered(collected: Collect) -> None:
    """Nobody waits for the end of the file: a daemon holds the pipe open."""
    chunks, result = collected("setsid sleep 1000 & printf x%.0s {1..50000}; echo err >&2")
    assert joined(chunks, "stdout") == b"x" * 50000
    assert joined(chunks, "stderr") == b"err\n"
    assert result.exit_code == 0


def test_refusals_are_the_last_chunk(collected: Collect) -> None:
    caps = caps_for()
    caps.allow_localhost_port(0)
    for options in ({"caps": caps}, {"caps": CapabilitySet()}):
        for stderr, name in (("pipe", "stderr"), ("stdout", "stdout")):
            chunks, result = collected("true", stderr=stderr, **options)
            assert [stream_name for stream_name, _ in chunks] == [name]
            assert chunks[0][1].startswith(b"nono: ")
            assert getattr(result, name) == chunks[0][1]
            assert result.exit_code in (126, 127)
    chunks, result = collected("true", **{"cwd": "/etc/passwd"})
    assert (chunks, result.exit_code) == ([("stderr", b"nono: failed to chdir\n")], 126)


def test_arguments_are_checked_before_anything_is_started(work: Path) -> None:
    run(check_arguments())
    with pytest.raises(RuntimeError, match="no running event loop"):
        sandboxed_stream_async(**arguments(f"touch {work}/started", caps=caps_for(work)))
    assert os.listdir(work) == []


async def check_arguments() -> None:
    for call in (sandboxed_stream, sandboxed_stream_async):
        for options, error in (
            ({"command": []}, ValueError),
            ({"command": ["/no/such"]}, RuntimeError),
            ({"command": ["/bin/true", "a\0b"]}, RuntimeError),
            ({"timeout_secs": -1}, ValueError),
            ({"max_output_bytes": -1}, OverflowError),
        ):
            with pytest.raises(error):
                call(**{**arguments("true"), **options})


# --- slow listeners --------------------------------------------------------------------------------


@pytest.mark.parametrize("bound", [0, 1, 4096, None])
def test_a_slow_listener_loses_nothing(collected: Collect, bound: int | None) -> None:
    size = 30_000 if bound in (0, 1) else 20_000_000
    chunks, result = collected(f"yes | head -c {size}", max_output_bytes=bound)
    assert joined(chunks, "stdout") == b"y\n" * (size // 2)
    assert result.dropped_bytes == 0
    # What was left in the pipe at the end comes at once, whatever the bound.
    assert all(len(data) <= max(bound or 1, 1) for _, data in chunks[:-1]) or bound is None


def test_a_command_waits_for_its_listener(work: Path) -> None:
    """The memory that is taken is the bound's, however much the command has to say."""
    in_host(command_waits_for_its_listener, work)
    in_host(command_waits_for_its_listener_on_a_loop, work)


COUNTING = "while :; do head -c 65536 /dev/zero; echo x >> {count}; done"


def zeros(work: str) -> tuple[dict[str, Any], Path]:
    count = Path(work, "count")
    count.unlink(missing_ok=True)
    caps = caps_for(work)
    caps.allow_file("/dev/zero", AccessMode.READ)
    return arguments(COUNTING.format(count=count), caps=caps, max_output_bytes=256 * 1024), count


def has_stopped_writing(count: Path) -> bool:
    before = count.stat().st_size if count.exists() else 0
    time.sleep(0.3)
    return count.exists() and count.stat().st_size == before > 0


def command_waits_for_its_listener(work: str) -> None:
    options, count = zeros(work)
    output = sandboxed_stream(**options)
    eventually(lambda: has_stopped_writing(count))
    assert count.stat().st_size < 40  # turns of 64 KiB and two bytes
    before = resident()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again
    taken = 0
    while taken < 50 * MIB:
        taken += len(next(output)[1])
    assert peak_resident() - before < 10 * MIB
    output.close()
    assert_nothing_left()


def command_waits_for_its_listener_on_a_loop(work: str) -> None:
    options, count = zeros(work)

    async def scenario() -> None:
        async with sandboxed_stream_async(**options) as output:
            while not has_stopped_writing(count):
                await asyncio.sleep(0.01)  # the loop goes on moving, up to the bound
            assert count.stat().st_size < 40
            used = time.process_time()
            await asyncio.sleep(0.5)
            assert time.process_time() - used < 0.4, "the loop is kept busy by what it may not read"
            before = resident()
            Path("/proc/self/clear_refs").write_text("5")
            taken = 0
            while taken < 50 * MIB:
                taken += len((await anext_of(output))[1])
            assert peak_resident() - before < 10 * MIB
        assert_nothing_left()

    asyncio.run(scenario())


def test_the_deadline_holds_though_nobody_listens() -> None:
    word = a_word()
    output = stream(f"echo early; sleep {word}", timeout_secs=1)
    eventually(lambda: len(running(word)) == 1)
    eventually(lambda: not running(word))
    assert list(output) == [("stdout", b"early\n")]
    assert output.result is not None
    assert (output.result.exit_code, output.result.timed_out) == (124, True)


def test_the_deadline_holds_though_no_task_listens() -> None:
    word = a_word()

    async def scenario() -> None:
        output = sandboxed_stream_async(**arguments(f"echo early; sleep {word}", timeout_secs=1))
        while not running(word):
            await asyncio.sleep(0.01)
        while running(word):
            await asyncio.sleep(0.01)
        assert [chunk async for chunk in output] == [("stdout", b"early\n")]
        assert output.result is not None
        assert (output.result.exit_code, output.result.timed_out) == (124, True)

    run(scenario())


def test_a_deadline_keeps_what_was_written(collected: Collect) -> None:
    chunks, result = collected("echo early; echo too >&2; sleep 1000", timeout_secs=1)
    assert sorted(chunks) == [("stderr", b"too\n"), ("stdout", b"early\n")]
    assert (result.exit_code, result.timed_out) == (124, True)


# --- listeners that leave --------------------------------------------------------------------------

TREE = "sleep {word} & setsid sleep {word} & (setsid sleep {word} &); echo started; sleep {word}"


def has_grown(word: str) -> bool:
    return len(running(word)) == 4


def break_out(word: str, isolation: str) -> None:
    for _ in stream(TREE.format(word=word), isolation=isolation):
        eventually(lambda: has_grown(word))
        break


def close(word: str, isolation: str) -> None:
    output = stream(TREE.format(word=word), isolation=isolation)
    next(output)
    eventually(lambda: has_grown(word))
    output.close()
    output.close()
    assert list(output) == []
    assert output.result is not None
    assert output.result.signal == signal.SIGKILL


def leave_with(word: str, isolation: str) -> None:
    with pytest.raises(ZeroDivisionError), stream(TREE.format(word=word), isolation=isolation) as output:
        next(output)
        eventually(lambda: has_grown(word))
        raise ZeroDivisionError


def never_listen(word: str, isolation: str) -> None:
    output = stream(TREE.format(word=word), isolation=isolation)
    eventually(lambda: has_grown(word))
    del output


def close_from_another_thread(word: str, isolation: str) -> None:
    output = stream(TREE.format(word=word), isolation=isolation)
    next(output)
    eventually(lambda: has_grown(word))
    timer = threading.Timer(0.2, output.close)
    timer.start()
    assert list(output) == []
    timer.join()


@pytest.mark.parametrize("leave", [break_out, close, leave_with, never_listen, close_from_another_thread])
def test_the_tree_ends_with_its_listener(leave: Callable[[str, str], None], isolation: str) -> None:
    word = a_word()
    leave(word, isolation)
    assert running(word) == []


async def grown(word: str, isolation: str) -> Any:
    output = sandboxed_stream_async(**arguments(TREE.format(word=word), isolation=isolation))
    assert await anext_of(output) == ("stdout", b"started\n")
    while not has_grown(word):
        await asyncio.sleep(0.01)
    return output


async def drop_on_a_loop(word: str, isolation: str) -> None:
    output = await grown(word, isolation)
    del output
    while running(word):
        await asyncio.sleep(0.01)


async def break_on_a_loop(word: str, isolation: str) -> None:
    async for _ in sandboxed_stream_async(**arguments(TREE.format(word=word), isolation=isolation)):
        break
    while running(word):
        await asyncio.sleep(0.01)


async def close_on_a_loop(word: str, isolation: str) -> None:
    output = await grown(word, isolation)
    await output.aclose()
    assert running(word) == []
    await output.aclose()
    assert [chunk async for chunk in output] == []
    assert output.result.signal == signal.SIGKILL


async def close_from_another_task(word: str, isolation: str) -> None:
    output = await grown(word, isolation)
    task = asyncio.ensure_future(anext_of(output))
    await asyncio.sleep(0.1)
    await asyncio.gather(output.aclose(), output.aclose())
    with pytest.raises(StopAsyncIteration):
        await task
    assert running(word) == []


async def leave_async_with(word: str, isolation: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with await grown(word, isolation):
            raise ZeroDivisionError
    assert running(word) == []


async def cancel(word: str, isolation: str) -> None:
    output = await grown(word, isolation)
    task = asyncio.ensure_future(anext_of(output))
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # twice: the end is waited for all the same
    with pytest.raises(asyncio.CancelledError):
        await task
    assert running(word) == []
    assert [chunk async for chunk in output] == []


async def time_out(word: str, isolation: str) -> None:
    output = await grown(word, isolation)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(anext_of(output), 0.1)
    assert running(word) == []


@pytest.mark.parametrize(
    "leave",
    [
        drop_on_a_loop,
        break_on_a_loop,
        close_on_a_loop,
        close_from_another_task,
        leave_async_with,
        cancel,
        time_out,
    ],
)
def test_the_tree_ends_with_its_listener_on_a_loop(
    leave: Callable[[str, str], Coroutine[Any, Any, None]], isolation: str
) -> None:
    word = a_word()
    run(leave(word, isolation))
    assert running(word) == []


def test_a_loop_that_is_closed_takes_its_streams_along() -> None:
    in_host(closed_loop)


def closed_loop() -> None:
    word = a_word()
    loop = asyncio.new_event_loop()
    output = loop.run_until_complete(grown(word, "process"))
    loop.close()
    del output, loop
    gc.collect()
    assert running(word) == []
    assert_nothing_left()


def test_a_signal_handler_that_raises_ends_the_tree() -> None:
    in_host(handler_that_raises)


def handler_that_raises() -> None:
    class Alarm(Exception):
        pass

    def handler(*_: object) -> None:
        raise Alarm

    signal.signal(signal.SIGALRM, handler)
    word = a_word()
    output = stream(TREE.format(word=word))
    next(output)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    with pytest.raises(Alarm):
        next(output)
    assert list(output) == []
    assert running(word) == []


# --- hosts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_streams_die_with_their_host(isolation: str, how: int) -> None:
    word = a_word()
    host = start_host(host_with_streams, word, isolation, prefix=[])
    try:
        eventually(lambda: len(running(word)) == 8 or host.poll() is not None)
        assert len(running(word)) == 8
        os.kill(host.pid, how)
    finally:
        host.kill()
        assert host.communicate()[1] == b""
    eventually(lambda: not running(word))


def host_with_streams(word: str, isolation: str) -> None:
    async def scenario() -> None:
        options = arguments(TREE.format(word=word), isolation=isolation)
        outputs = [sandboxed_stream(**options), sandboxed_stream_async(**options)]
        await asyncio.sleep(GENEROUS)
        del outputs

    asyncio.run(scenario())


def test_a_host_may_end_with_streams_open() -> None:
    in_host(host_that_ends)


def host_that_ends() -> None:
    kept = stream("sleep 1000"), stream("yes")
    next(kept[1])
    sys.modules["kept"] = kept  # type: ignore[assignment]  # until the interpreter is gone


def test_forks_leave_streams_alone() -> None:
    in_host(forks_leave_streams_alone)


def forks_leave_streams_alone() -> None:
    output, flood = stream("echo early; sleep 0.5; echo late"), stream("yes")
    assert next(output) == ("stdout", b"early\n")

    async def scenario() -> None:
        on_loop = sandboxed_stream_async(**arguments("echo early; sleep 0.5; echo late"))
        assert await anext_of(on_loop) == ("stdout", b"early\n")
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                try:
                    in_fork(output, flood, on_loop)
                    os._exit(0)
                finally:
                    os._exit(1)
            assert os.waitpid(pid, 0)[1] == 0
        assert [chunk async for chunk in on_loop] == [("stdout", b"late\n")]

    asyncio.run(scenario())
    assert list(output) == [("stdout", b"late\n")]
    flood.close()
    assert_nothing_left()


def in_fork(output: Stream, flood: Stream, on_loop: Any) -> None:
    for each in (output, flood):
        with pytest.raises(RuntimeError, match="belongs to the process that started it"):
            next(each)
        each.close()
    on_loop.__del__()
    del output, flood, on_loop, each
    gc.collect()


# --- many ------------------------------------------------------------------------------------------


def test_nothing_is_left_behind() -> None:
    in_host(nothing_is_left_behind)


def nothing_is_left_behind() -> None:
    def several() -> None:
        for script in ("echo x", "yes | head -c 300000", "exit 3"):
            collect(script)
            collect_async(script)
        break_out_of("yes")

    def break_out_of(script: str) -> None:
        for _ in stream(script):
            break

    several()
    descriptors, threads = open_descriptors(), len(os.listdir("/proc/self/task"))
    for _ in range(5):
        several()
    gc.collect()
    assert len(open_descriptors()) <= len(descriptors)
    assert len(os.listdir("/proc/self/task")) == threads
    assert_nothing_left()


def test_many_at_once() -> None:
    outputs = [stream(f"echo {n}; sleep 0.2; echo {n}") for n in range(16)]
    expected = [f"{n}\n{n}\n".encode() for n in range(16)]
    assert [joined(list(output), "stdout") for output in outputs] == expected

    async def one(number: int) -> bytes:
        output = sandboxed_stream_async(**arguments(f"echo {number}; sleep 0.2; echo {number}"))
        return joined([chunk async for chunk in output], "stdout")

    async def all_of_them() -> list[bytes]:
        return await asyncio.gather(*(one(n) for n in range(16)))

    assert run(all_of_them()) == expected


def test_two_threads_may_share_one() -> None:
    output = stream("yes | head -c 5000000")
    sizes: list[int] = []

    def listen() -> None:
        sizes.append(sum(len(data) for _, data in output))

    threads = [threading.Thread(target=listen) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sizes) == 5_000_000


def test_waiting_holds_nobody_up() -> None:
    turns = 0
    done = threading.Event()

    def count() -> None:
        nonlocal turns
        while not done.wait(0.005):
            turns += 1

    counter = threading.Thread(target=count)
    counter.start()
    assert list(stream("sleep 0.5; echo x")) == [("stdout", b"x\n")]
    done.set()
    counter.join()
    assert turns > 5
