"""Mixed operations, in one sequence and from 32 threads at once, next to a reference in plain Python."""

import asyncio
import base64
import dataclasses
import os
import re
import shlex
import shutil
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from deepagents.backends.protocol import GlobResult, GrepResult, WriteResult
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from reference import UNKNOWN, Reference
from releases import DELETES, GLOB_IS_ABSOLUTE
from tools import Tools

from langchain_nono import NonoSandbox

EXAMPLES = int(os.environ.get("NONO_TEST_EXAMPLES", "8"))
THREADS = 32
OPERATIONS = 32  # of each thread: 1,024 in all
SHARED = {"a.txt": b"needle\nneedle\n", "d/b.txt": b"one\r\nneedle\r\n", "d/c.png": bytes(range(256))}

# No name is that of a file and of a directory: what becomes of `a.txt/b` is for other tests.
DIRECTORIES = ["", "d", "d/e", ".h", ".git", "g-h", "g"]
FILES = [
    os.path.join(directory, name)
    for directory in DIRECTORIES
    for name in ("a.txt", "b.py", ".dot", "p.png", "ä b")
]
PATTERNS = [
    "*",
    "*.txt",
    "**/*.py",
    "d/**",
    "/*.txt",
    "{a,b}.*",
    "[!a]*",
    ".*",
    "d/*/a.txt",
    "**",
    "nothing",
    "../*",
]


class Operation(NamedTuple):
    """A tool and its arguments; paths are below a root, `shared:` ones below one for all."""

    tool: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


def operation(tool: str, *arguments: st.SearchStrategy[Any], **options: st.SearchStrategy[Any]) -> Any:
    return st.builds(Operation, st.just(tool), st.tuples(*arguments), st.fixed_dictionaries(options))


files = st.sampled_from(FILES)
places = st.sampled_from([*FILES, *(each for each in DIRECTORIES if each)])
starts = st.sampled_from([*DIRECTORIES, *FILES[:6], "shared:", "shared:d"])
readable = st.one_of(places, st.sampled_from([f"shared:{name}" for name in SHARED]))
text = st.one_of(
    st.text("ab \n\té漢🎉", max_size=20),
    st.lists(st.sampled_from(["needle", "a", "", "b needle a", "x" * 100]), max_size=6).map("\n".join),
    st.lists(st.sampled_from(["needle", "a", ""]), max_size=4).map("\r\n".join),
)
strings = st.sampled_from(["a", "b", "needle", "a\nb", "\n", "needle\n", "aa", "", "é", "ab"])
raw = st.one_of(text.map(str.encode), st.binary(max_size=20))

EVERY: dict[str, Any] = {
    "ls": operation("ls", starts),
    "read": operation("read", readable, st.integers(-2, 5), st.integers(-1, 4)),
    "write": operation("write", files, text),
    "edit": operation("edit", readable, strings, strings, st.booleans()),
    "grep": operation(
        "grep",
        st.sampled_from(["a", "needle", "b", "x", ".", "é"]),
        starts,
        st.none() | st.sampled_from(PATTERNS[:-1]),
        max_count=st.none() | st.integers(1, 4),
    ),
    "upload": operation("upload_files", st.lists(st.tuples(files, raw), max_size=3)),
    "download": operation("download_files", st.lists(readable, max_size=3)),
    "cat": operation("execute", readable),
}
if GLOB_IS_ABSOLUTE:  # the older contract has a test of its own
    EVERY["glob"] = operation("glob", st.sampled_from(PATTERNS), starts)
if DELETES:
    EVERY["delete"] = operation("delete", places)


class Side:
    """What operations are done with: a backend, and where its paths lie."""

    def __init__(self, tools: Tools, root: str, shared: str) -> None:
        self.tools = tools
        self.root = root
        self.shared = shared

    async def do(self, each: Operation) -> Any:
        """The result in a form that can be compared, the root left out."""
        if each.tool == "execute":
            return await self.cat(each.arguments[0])
        arguments = [self.place(index, argument, each.tool) for index, argument in enumerate(each.arguments)]
        if each.tool == "edit" and each.arguments[0].startswith("shared:") and each.arguments[1]:
            # The reference knows of no rights; it is not asked.
            return "refused" if isinstance(self.tools.backend, Reference) else await self.refused(arguments)
        result = await getattr(self.tools, each.tool)(*arguments, **each.options)
        return comparable(result, self.root)

    def place(self, index: int, argument: Any, tool: str) -> Any:
        if tool == "upload_files":
            return [(self.path(path), content) for path, content in argument]
        if tool == "download_files":
            return [self.path(path) for path in argument]
        return self.path(argument) if index == (1 if tool in ("grep", "glob") else 0) else argument

    def path(self, relative: str) -> str:
        root, name = (self.shared, relative[7:]) if relative.startswith("shared:") else (self.root, relative)
        return f"{root}/{name}" if name else root

    async def refused(self, arguments: list[Any]) -> str:
        result = await self.tools.edit(*arguments)
        return "refused" if result.error else str(result)

    async def cat(self, relative: str) -> Any:
        """What a command reads is what the tools have written."""
        path = self.path(relative)
        if isinstance(self.tools.backend, Reference):
            return base64.b64encode(Path(path).read_bytes()).decode() if os.path.isfile(path) else "error"
        response = await self.tools.execute(f"base64 -w0 {shlex.quote(path)}")
        return response.output if response.exit_code == 0 else "error"


def comparable(result: Any, root: str) -> Any:
    if isinstance(result, list):
        return [comparable(each, root) for each in result]
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        known = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
        if known.get("error") and isinstance(result, WriteResult | GrepResult | GlobResult):
            known["error"] = UNKNOWN  # other tests know the words
        return {name: plain(value, root) for name, value in known.items()}
    return plain(result, root)


def plain(value: Any, root: str) -> Any:
    """Times are looked at and left out, paths are those below the root."""
    if isinstance(value, str):
        return re.sub("\ufffd+", "\ufffd", value.replace(root, "ROOT"))
    if isinstance(value, list):
        return [plain(each, root) for each in value]
    if isinstance(value, dict):
        for name in ("modified_at", "created_at"):
            assert datetime.fromisoformat(value.get(name) or "2026-01-01T00:00:00Z").tzinfo
        if "text" in value:
            value = {**value, "text": value["text"].removesuffix("\r")}
        return {
            name: plain(each, root)
            for name, each in value.items()
            if name not in ("modified_at", "created_at")
        }
    return value


def tree(root: str) -> dict[str, bytes | None]:
    """Every directory, and every file with its content."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else None
        for path in Path(root).rglob("*")
    }


class World:
    """A sandbox and a reference side by side, each with directories of its own."""

    def __init__(self, asynchronous: bool) -> None:
        self.directory = os.path.realpath(tempfile.mkdtemp(prefix="nono-reference-"))
        self.shared = f"{self.directory}/shared"
        for name, content in SHARED.items():
            path = Path(self.shared, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for name in ("ours", "reference"):
            os.mkdir(f"{self.directory}/{name}")
        self.sandbox = NonoSandbox(
            working_dir=f"{self.directory}/ours", allow_read=[self.shared], unprotect=["all"]
        )
        self.tools = Tools(self.sandbox, asynchronous=asynchronous)
        self.number = 0

    def sides(self) -> tuple[Side, Side]:
        """Two empty directories, nobody else's."""
        self.number += 1
        roots = [f"{self.directory}/{name}/{self.number}" for name in ("ours", "reference")]
        for root in roots:
            os.mkdir(root)
        return (
            Side(self.tools, roots[0], self.shared),
            Side(Tools(Reference(), asynchronous=False), roots[1], self.shared),
        )

    def close(self) -> None:
        self.sandbox.close()
        shutil.rmtree(self.directory)


@pytest.fixture(params=["sync", "async"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(request.param == "async")
    yield world
    world.close()


async def perform(side: Side, plan: list[Operation]) -> list[Any]:
    return [await side.do(each) for each in plan]


async def all_as_tasks(sides: list[Side], plans: list[list[Operation]]) -> list[list[Any]]:
    return await asyncio.gather(*map(perform, sides, plans))


def all_in_threads(sides: list[Side], plans: list[list[Operation]]) -> list[list[Any]]:
    results: list[list[Any]] = [[] for _ in sides]
    start = threading.Barrier(len(sides))

    def work(index: int) -> None:
        start.wait()
        results[index] = asyncio.run(perform(sides[index], plans[index]))

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sides))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_thousand_operations_at_once(world: World) -> None:
    """32 threads or tasks, each in a directory of its own and beginning at another place of the plan.

    A plan that fails is not made shorter, which would take its time: the test below does that.
    """

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(st.lists(st.one_of(*EVERY.values()), min_size=OPERATIONS, max_size=OPERATIONS))
    def check(plan: list[Operation]) -> None:
        pairs = [world.sides() for _ in range(THREADS)]
        plans = [plan[shift:] + plan[:shift] for shift in range(THREADS)]
        ours = [side for side, _ in pairs]
        if world.tools.asynchronous:
            results = asyncio.run(all_as_tasks(ours, plans))
        else:
            results = all_in_threads(ours, plans)
        for (side, reference), turned, result in zip(pairs, plans, results, strict=True):
            expected = asyncio.run(perform(reference, turned))
            for each, got, wanted in zip(turned, result, expected, strict=True):
                assert got == wanted, each
            assert tree(side.root) == tree(reference.root)

    check()


def test_one_operation_after_the_other(world: World) -> None:
    """A failure is shown as the shortest sequence that ends in it."""

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.side, self.reference = world.sides()

        def compare(self, each: Operation) -> None:
            assert asyncio.run(self.side.do(each)) == asyncio.run(self.reference.do(each)), each

        @invariant()
        def trees_are_equal(self) -> None:
            assert tree(self.side.root) == tree(self.reference.root)

    for name, strategy in EVERY.items():

        def do(self: Any, each: Operation) -> None:
            self.compare(each)

        do.__name__ = name
        setattr(Machine, name, rule(each=strategy)(do))

    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=5 * EXAMPLES, stateful_step_count=20, deadline=None, database=None),
    )
