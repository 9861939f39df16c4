"""One backend, a sandbox for each conversation."""

import asyncio
import gc
import inspect
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from deepagents.backends.protocol import BackendProtocol, execute_accepts_timeout
from deepagents.backends.sandbox import BaseSandbox
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableLambda
from scripted import scripted

from langchain_nono import NonoSandbox, ThreadSandboxes
from langchain_nono.pool import Pool

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Made:
    """A working directory for each thread, and a note of each sandbox that was made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.threads: list[str] = []

    def __call__(self, thread: str) -> NonoSandbox:
        self.threads.append(thread)
        directory = self.root / thread
        directory.mkdir(exist_ok=True)
        return NonoSandbox(working_dir=str(directory))


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture
def sandboxes(made: Made) -> Iterator[ThreadSandboxes]:
    with ThreadSandboxes(made) as sandboxes:
        yield sandboxes


def config(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}}


def within(thread: str, call: Any) -> Any:
    """What `call` returns when an agent of that conversation calls it."""
    return RunnableLambda(lambda _: call()).invoke(None, config(thread))


def test_a_conversation_has_one_sandbox(sandboxes: ThreadSandboxes, made: Made, tmp_path: Path) -> None:
    assert made.threads == [] == sandboxes.threads
    for thread in ("a", "b", "a"):
        assert within(thread, lambda: sandboxes.execute("pwd")).output == f"{tmp_path}/{thread}\n"
    assert made.threads == ["a", "b"] == sandboxes.threads
    ids = {within(thread, lambda: sandboxes.id) for thread in ("a", "b", "a")}
    assert len(ids) == 2
    within("a", lambda: sandboxes.execute("echo x > ~/mine"))
    assert within("a", lambda: sandboxes.execute("cat ~/mine")).output == "x\n"
    assert within("b", lambda: sandboxes.execute("cat ~/mine")).exit_code == 1
    assert within("b", lambda: sandboxes.execute(f"cat {tmp_path}/a/f")).exit_code == 1


async def test_async_methods_find_theirs(sandboxes: ThreadSandboxes, made: Made, tmp_path: Path) -> None:
    async def output(thread: str) -> str:
        async def call(_: None) -> str:
            return (await sandboxes.aexecute("sleep 0.1; pwd")).output

        return await RunnableLambda(call).ainvoke(None, config(thread))

    threads = [f"t{number % 4}" for number in range(12)]
    outputs = await asyncio.gather(*map(output, threads))
    assert outputs == [f"{tmp_path}/{thread}\n" for thread in threads]
    assert sorted(made.threads) == ["t0", "t1", "t2", "t3"]


def test_it_is_a_backend_as_the_sdk_wants_it(sandboxes: ThreadSandboxes) -> None:
    assert isinstance(sandboxes, BaseSandbox)
    assert execute_accepts_timeout(type(sandboxes))
    for name in ("grep", "agrep"):
        assert "max_count" in inspect.signature(getattr(type(sandboxes), name)).parameters
    assert hash(sandboxes) == hash(sandboxes)
    for name, method in inspect.getmembers(NonoSandbox, inspect.isfunction):
        if name.startswith("_") or name == "close":
            continue
        passed_on = getattr(ThreadSandboxes, name)
        assert passed_on is not getattr(BackendProtocol, name, None)
        assert passed_on is not getattr(BaseSandbox, name, None)
        assert inspect.signature(passed_on) == inspect.signature(method)
        assert inspect.iscoroutinefunction(passed_on) == inspect.iscoroutinefunction(method)


def test_every_method_reaches_the_sandbox(sandboxes: ThreadSandboxes, tmp_path: Path) -> None:
    path = f"{tmp_path}/a/f.txt"

    def calls() -> None:
        assert sandboxes.upload_files([(path, b"text\n")])[0].error is None
        assert sandboxes.download_files([path])[0].content == b"text\n"
        assert sandboxes.read(path).error is None
        assert sandboxes.grep("text", f"{tmp_path}/a", max_count=1).matches
        assert sandboxes.edit(path, "text", "word").occurrences == 1
        assert sandboxes.toolchains == sandboxes.toolchains
        if hasattr(sandboxes, "execute_with_offload"):
            result = sandboxes.execute_with_offload("seq 9999", f"{tmp_path}/a/long", max_inline_bytes=100)
            assert result.offloaded

    within("a", calls)
    assert Path(path).read_text() == "word\n"


def test_without_a_conversation_there_is_no_sandbox(sandboxes: ThreadSandboxes, made: Made) -> None:
    with pytest.raises(RuntimeError, match=r"no thread_id: call the agent with config="):
        sandboxes.execute("true")
    with pytest.raises(RuntimeError, match="no thread_id"):
        RunnableLambda(lambda _: sandboxes.execute("true")).invoke(None, {"configurable": {"x": 1}})
    assert made.threads == []
    with ThreadSandboxes(made, default_thread="nobody") as with_default:
        assert with_default.execute("true").exit_code == 0
        assert within("a", with_default.thread) == "a"
        assert within(7, with_default.thread) == "7"  # type: ignore[arg-type]
    assert made.threads == ["nobody"]


def test_an_idle_sandbox_is_closed_by_the_next_call(made: Made, tmp_path: Path) -> None:
    with ThreadSandboxes(made, idle_seconds=0.3) as sandboxes:
        home = within("a", lambda: sandboxes.execute("echo text > f; echo -n $HOME")).output
        within("b", lambda: sandboxes.execute("true"))
        assert os.path.exists(home)
        time.sleep(0.4)
        within("b", lambda: sandboxes.execute("true"))
        assert not os.path.exists(home)
        assert sandboxes.threads == ["b"]
        assert within("a", lambda: sandboxes.execute("cat f")).output == "text\n"
    assert made.threads == ["a", "b", "a"]


def test_a_sandbox_in_use_is_not_idle(made: Made) -> None:
    with ThreadSandboxes(made, idle_seconds=0.1) as sandboxes:
        results: list[Any] = []
        running = threading.Thread(
            target=lambda: results.append(within("a", lambda: sandboxes.execute("sleep 1; echo $HOME; ls ~")))
        )
        running.start()
        time.sleep(0.5)
        within("b", lambda: sandboxes.execute("true"))
        running.join()
        assert results[0].exit_code == 0


def test_their_number_is_bounded(made: Made) -> None:
    with ThreadSandboxes(made, max_sandboxes=2) as sandboxes:
        for thread in ("a", "b", "a", "c"):
            within(thread, lambda: sandboxes.execute("true"))
        assert sorted(sandboxes.threads) == ["a", "c"]  # b was idle for longest
        sandboxes.close_thread("a")
        sandboxes.close_thread("unknown")
        assert sandboxes.threads == ["c"]


def test_a_sandbox_in_use_does_not_make_room(made: Made) -> None:
    with ThreadSandboxes(made, max_sandboxes=1) as sandboxes:
        running = threading.Thread(target=lambda: within("a", lambda: sandboxes.execute("sleep 1")))
        running.start()
        time.sleep(0.3)
        with pytest.raises(RuntimeError, match="all 1 sandboxes are in use: raise max_sandboxes"):
            within("b", lambda: sandboxes.execute("true"))
        running.join()
        assert within("b", lambda: sandboxes.execute("true")).exit_code == 0


def test_closing_closes_all(made: Made) -> None:
    sandboxes = ThreadSandboxes(made)
    homes = [within(thread, lambda: sandboxes.execute("echo -n $HOME")).output for thread in "ab"]
    sandboxes.close()
    sandboxes.close()
    assert not any(map(os.path.exists, homes))
    with pytest.raises(RuntimeError, match="the sandboxes are closed"):
        within("a", lambda: sandboxes.execute("true"))


@pytest.mark.parametrize("wrong", [{"idle_seconds": 0}, {"max_sandboxes": 0}])
def test_numbers_must_be_positive(made: Made, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        ThreadSandboxes(made, **wrong)


async def test_the_event_loop_never_waits_for_files(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that watches its event loop ends the run of an agent that does."""

    def refuses(function: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            with pytest.raises(RuntimeError, match="no running event loop"):
                asyncio.get_running_loop()
            return function(*args, **options)

        return call

    sandboxes = ThreadSandboxes(made, idle_seconds=0.2)

    async def work(_: None) -> None:
        for name in ("stat", "lstat", "access", "listdir", "scandir", "mkdir", "unlink", "rmdir", "readlink"):
            monkeypatch.setattr(os, name, refuses(getattr(os, name)))
        for name in ("abspath", "realpath", "exists"):
            monkeypatch.setattr(os.path, name, refuses(getattr(os.path, name)))
        monkeypatch.setenv("PATH", "/usr/bin:/bin")
        assert (await sandboxes.aexecute("echo hi")).output == "hi\n"
        assert "[nono] " in (await sandboxes.aexecute("cat /etc/passwd; touch .envrc; exit 1")).output
        monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
        assert (await sandboxes.aexecute("echo hi")).output == "hi\n"
        if hasattr(sandboxes, "aexecute_with_offload"):
            for command in ("seq 9999", "seq 9999; cat /etc/passwd"):
                path = f"{tmp_path}/{sandboxes.thread()}/long"
                assert (await sandboxes.aexecute_with_offload(command, path, max_inline_bytes=100)).offloaded

    try:
        for thread in "abc":
            await RunnableLambda(work).ainvoke(None, config(thread))
            await asyncio.sleep(0.3)
    finally:
        monkeypatch.undo()
    assert sandboxes.threads == ["c"]
    sandboxes.close()


# The pool alone, with things that are quickly made.


class Thing:
    def __init__(self, key: str) -> None:
        self.key = key
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_many_threads_make_each_sandbox_once() -> None:
    made: list[Thing] = []

    def make(key: str) -> Thing:
        time.sleep(0.01)
        made.append(Thing(key))
        return made[-1]

    pool = Pool(make, idle_seconds=60, limit=100)
    failures: list[str] = []

    def work(number: int) -> None:
        for turn in range(50):
            key = str((number + turn) % 10)
            with pool.use(key) as thing:
                if thing.closed or thing.key != key:
                    failures.append(key)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(made) == 10


def test_few_places_for_many_threads() -> None:
    """Sandboxes come and go all the time; none is closed while somebody uses it."""
    pool = Pool(Thing, idle_seconds=0.001, limit=8)
    failures: list[str] = []

    def work(number: int) -> None:
        for turn in range(300):
            with pool.use(str((number * turn) % 20)) as thing:
                if thing.closed:
                    failures.append(thing.key)
            if len(pool.keys) > 8:
                failures.append("too many")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_what_cannot_be_made_is_tried_again() -> None:
    attempts: list[str] = []

    def make(key: str) -> Thing:
        attempts.append(key)
        if len(attempts) == 1:
            raise OSError("no")
        return Thing(key)

    pool = Pool(make, idle_seconds=60, limit=1)
    with pytest.raises(OSError, match="no"), pool.use("a"):
        pass
    assert pool.keys == []
    with pool.use("b"), pytest.raises(RuntimeError, match="all 1"), pool.use("c"):
        pass
    with pool.use("c") as thing:
        assert thing.key == "c"


async def test_a_cancelled_task_gives_back_what_it_waited_for() -> None:
    def make(key: str) -> Thing:
        time.sleep(0.3)
        return Thing(key)

    pool = Pool(make, idle_seconds=60, limit=1)

    async def use() -> None:
        async with pool.ause("a"):
            await asyncio.sleep(60)

    for wait in (0.1, 0.6, 0.1):  # while it is made, while it is used, when it is there already
        task = asyncio.create_task(use())
        await asyncio.sleep(wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await asyncio.sleep(0.3)
    async with pool.ause("b") as thing:  # so nobody uses the other one
        assert thing.key == "b"


def test_what_goes_on_keeps_its_sandbox(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """As streams and jobs do: results of methods that are no backend's."""
    from langchain_nono import per_thread

    monkeypatch.setattr(
        NonoSandbox, "begin", lambda self: Thing(self.execute("echo -n $HOME").output), raising=False
    )
    monkeypatch.setattr(
        ThreadSandboxes,
        "begin",
        per_thread._passed_on("begin", NonoSandbox.begin),
        raising=False,  # type: ignore[attr-defined]
    )
    with ThreadSandboxes(made, idle_seconds=0.1) as sandboxes:
        begun = within("a", sandboxes.begin)  # type: ignore[attr-defined]
        home = begun.key
        time.sleep(0.2)
        within("b", lambda: sandboxes.execute("true"))
        assert os.path.exists(home)
        del begun
        gc.collect()
        time.sleep(0.2)
        within("b", lambda: sandboxes.execute("true"))
        assert not os.path.exists(home)


# With a real agent.


@pytest.mark.parametrize("is_async", [False, True])
async def test_agents_of_one_server(
    sandboxes: ThreadSandboxes, made: Made, tmp_path: Path, is_async: bool
) -> None:
    for thread in ("a", "b"):
        model = scripted(
            [("execute", {"command": f"echo {thread} > f; pwd"}), ("glob", {"pattern": "*", "path": "/"})],
            [("read_file", {"file_path": f"{tmp_path}/{thread}/f"})],
            [("task", {"description": "go", "subagent_type": "helper"})],
            [("execute", {"command": f"cat by_helper; cat {tmp_path}/a/f {tmp_path}/b/f"})],
        )
        helper: Any = {
            "name": "helper",
            "description": "helps",
            "system_prompt": "help",
            "model": scripted([("execute", {"command": "pwd > by_helper"})]),
        }
        agent = create_deep_agent(model=model, backend=sandboxes, subagents=[helper])
        given = {"messages": [("user", "go")]}
        state = (
            await agent.ainvoke(given, config(thread)) if is_async else agent.invoke(given, config(thread))
        )
        results = [str(m.content) for m in state["messages"] if isinstance(m, ToolMessage)]
        assert f"{tmp_path}/{thread}\n" in results[0]
        assert thread in results[2]
        assert results[4].startswith(f"{tmp_path}/{thread}\n{thread}\n")
    assert made.threads == ["a", "b"]
