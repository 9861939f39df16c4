"""sandboxed_exec_async: on the event loop, many at once, cancelled with the whole tree."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from nono_py import CapabilitySet, ExecResult, _nono_py, sandboxed_exec_async

from support import GENEROUS, PYTHON, caps_for, host, system_caps
from test_lifetime import ESCAPE, is_growing, wait_until_written

ENV = [("PATH", "/usr/bin:/bin")]


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, GENEROUS))


def shell(script: str, caps: CapabilitySet | None = None, **options: Any) -> Coroutine[Any, Any, ExecResult]:
    options.setdefault("env", ENV)
    return sandboxed_exec_async(caps or system_caps(), ["/bin/bash", "-c", script], "/", **options)


def test_result() -> None:
    result = run(shell("echo out; echo err >&2; cat; exit 3", stdin=b"in"))
    assert (result.stdout, result.stderr, result.exit_code) == (b"out\nin", b"err\n", 3)
    assert result.duration > 0


def test_large_output_and_input() -> None:
    data = os.urandom(1000) * 5000
    assert run(sandboxed_exec_async(system_caps(), ["/bin/cat"], stdin=data)).stdout == data


def test_bounded_output() -> None:
    result = run(shell("yes | head -c 5000000", max_output_bytes=1000))
    assert len(result.stdout) <= 1000
    assert result.truncated


def test_deadline() -> None:
    result = run(shell("echo early; sleep 1000", timeout_secs=1))
    assert (result.exit_code, result.timed_out, result.stdout) == (124, True, b"early\n")


@pytest.mark.parametrize("timeout", [0, 1e30, float("inf"), None])
def test_extreme_deadlines(timeout: float | None) -> None:
    result = run(shell("sleep 1000" if timeout == 0 else "true", timeout_secs=timeout))
    assert result.timed_out is (timeout == 0)


def test_arguments_are_checked_like_those_of_the_twin() -> None:
    with pytest.raises(ValueError, match="command must not be empty"):
        run(sandboxed_exec_async(CapabilitySet(), []))
    with pytest.raises(RuntimeError, match="Program not found"):
        run(sandboxed_exec_async(CapabilitySet(), ["/no/such"]))
    with pytest.raises(TypeError):
        run(sandboxed_exec_async(CapabilitySet(), "ls"))


def test_refusals_are_results() -> None:
    caps = system_caps()
    caps.block_network()
    caps.allow_localhost_port(0)
    refused = run(shell("true", caps))
    assert refused.exit_code == 126
    assert refused.stderr.startswith(b"nono: sandbox apply failed: Sandbox initialization failed: ")
    assert repr(refused).startswith("ExecResult(exit_code=126, stdout_len=0, ")
    assert refused.stdout == b""
    assert run(sandboxed_exec_async(CapabilitySet(), ["/bin/true"])).exit_code == 127
    assert run(sandboxed_exec_async(system_caps(), ["/bin/true"], cwd="/etc/passwd")).exit_code == 126


def test_the_loop_goes_on() -> None:
    async def both() -> int:
        turns = 0
        command = asyncio.ensure_future(shell("sleep 0.5"))
        while not command.done():
            await asyncio.sleep(0.01)
            turns += 1
        await command
        return turns

    assert run(both()) > 5


def test_many_at_once_without_threads() -> None:
    caps = system_caps()
    threads = []

    async def one(number: int) -> bytes:
        result = await shell(f"sleep 0.2; echo {number}", caps)
        threads.append(threading.active_count())
        return result.stdout

    async def all_of_them() -> list[bytes]:
        return await asyncio.gather(*(one(n) for n in range(64)))

    assert run(all_of_them()) == [f"{n}\n".encode() for n in range(64)]
    assert set(threads) == {1}


def test_cancelling_kills_the_whole_tree(work: Path) -> None:
    out = work / "out"
    code = ESCAPE.format(parent="time.sleep(1000)")

    async def cancel() -> float:
        task = asyncio.ensure_future(shell(f"{PYTHON} -c '{code}' {out}", caps_for(work)))
        await asyncio.to_thread(wait_until_written, out)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - start

    run(cancel())
    assert not is_growing(out)


def test_cancelling_many_and_cancelling_twice() -> None:
    async def scenario() -> list[Any]:
        tasks = [asyncio.ensure_future(shell("sleep 1000")) for _ in range(32)]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(result) for result in run(scenario())} == {asyncio.CancelledError}


def test_timeout_of_asyncio_cancels() -> None:
    async def scenario() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(shell("sleep 1000"), 0.3)

    run(scenario())


def test_nothing_is_left_behind() -> None:
    caps = system_caps()

    async def several() -> None:
        await asyncio.gather(*(shell("sleep 100", caps, timeout_secs=n % 2) for n in range(8)))
        task = asyncio.ensure_future(shell("sleep 100", caps))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def descriptors() -> tuple[set[str], set[str]]:
        await several()
        before = set(os.listdir("/proc/self/fd"))
        await several()
        return before, set(os.listdir("/proc/self/fd"))

    before, after = run(descriptors())
    assert len(after) <= len(before)


def test_loop_that_is_closed_takes_its_commands_along(work: Path) -> None:
    out = work / "out"
    done = host(
        """
import asyncio, gc, time
async def main():
    task = asyncio.ensure_future(nono_py.sandboxed_exec_async(
        caps_for(sys.argv[1]),
        ["/bin/bash", "-c", "while :; do echo x >> out; sleep 0.01; done"], sys.argv[1],
        env=[("PATH", "/usr/bin:/bin")]))
    await asyncio.sleep(0.5)
    return task
loop = asyncio.new_event_loop()
task = loop.run_until_complete(main())
loop.close()
del task, loop
gc.collect()
size = __import__("os").path.getsize(sys.argv[1] + "/out")
time.sleep(0.3)
print(__import__("os").path.getsize(sys.argv[1] + "/out") == size)
""",
        work,
    )
    assert done.stdout == b"True\n", done.stderr
    assert out.exists()


def test_result_is_for_once() -> None:
    child = _nono_py._spawn(system_caps(), ["/bin/true"])
    with pytest.raises(RuntimeError):
        child.result(timed_out=False)
    while not child.step():
        time.sleep(0.01)
    assert child.result(timed_out=False).exit_code == 0
    with pytest.raises(RuntimeError):
        child.result(timed_out=False)


def test_set_may_change_meanwhile() -> None:
    async def scenario() -> bytes:
        caps = system_caps()
        task = asyncio.ensure_future(shell("sleep 0.3; echo hi", caps))
        await asyncio.sleep(0.1)
        caps.block_network()
        caps.deduplicate()
        result = await task
        return result.stdout

    assert run(scenario()) == b"hi\n"
