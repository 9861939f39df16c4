"""Real agents with scripted models: every tool, what is too long for an answer, and two subagents at once."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain_core.messages import ToolMessage
from releases import DELETES, GLOB_IS_ABSOLUTE
from scripted import scripted

from langchain_nono import NonoSandbox

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Turn = list[tuple[str, dict[str, Any]]]
Run = Callable[[Any], Awaitable[list[ToolMessage]]]
LONG = 100_000  # characters; more than an answer holds


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs an agent to its end; the messages of its tools."""

    async def go(agent: Any) -> list[ToolMessage]:
        question = {"messages": [("user", "go")]}
        state = agent.invoke(question) if request.param == "sync" else await agent.ainvoke(question)
        assert state["messages"][-1].content == "done"
        return [message for message in state["messages"] if isinstance(message, ToolMessage)]

    return go


def work(root: str, marker: str) -> list[Turn]:
    """Every tool, one after the other, in a directory of one's own."""
    path = f"{root}/{marker}.txt"
    turns: list[Turn] = [
        [("write_file", {"file_path": path, "content": f"{marker} one\n{marker} two\n"})],
        [
            ("read_file", {"file_path": path}),
            ("ls", {"path": root}),
            ("glob", {"pattern": "*.txt", "path": root}),
            ("grep", {"pattern": f"{marker} two", "path": root, "output_mode": "content"}),
        ],
        [("edit_file", {"file_path": path, "old_string": f"{marker} two", "new_string": f"{marker} 2"})],
        [("read_file", {"file_path": path, "offset": 1, "limit": 1})],
        [("execute", {"command": f"cat $(find . -name {marker}.txt)"})],
    ]
    if DELETES:
        turns += [[("delete", {"file_path": path})], [("read_file", {"file_path": path})]]
    return turns


def check(messages: list[ToolMessage], marker: str) -> None:
    write, read, ls, glob, grep, edit, page, cat, *rest = [str(message.content) for message in messages]
    names = [message.name for message in messages]
    assert names[:8] == ["write_file", "read_file", "ls", "glob", "grep", "edit_file", "read_file", "execute"]
    assert f"{marker}.txt" in write
    assert f"{marker} one" in read and f"{marker} two" in read
    for listing in (ls, glob, grep):
        assert f"{marker}.txt" in listing
    assert f"{marker} two" in grep and f"{marker} one" not in grep
    assert "rror" not in edit and f"{marker} 2" in page and f"{marker} one" not in page
    assert f"{marker} one\n{marker} 2\n" in cat
    if DELETES:
        deleted, gone = rest
        assert "rror" not in deleted and "not_found" in gone


@pytest.fixture(params=["host paths", "virtual root"])
def place(request: pytest.FixtureRequest, workspace: Path) -> Any:
    """A sandbox, and the root of the paths that its agents use."""
    virtual = request.param == "virtual root"
    with NonoSandbox(working_dir=str(workspace), virtual_workspace_root=virtual) as sandbox:
        yield sandbox, "" if virtual else str(workspace)


async def test_every_tool(place: Any, run: Run, workspace: Path) -> None:
    sandbox, root = place
    agent = create_deep_agent(model=scripted(*work(f"{root}/mine", "mine")), backend=sandbox)
    check(await run(agent), "mine")
    assert [path.name for path in workspace.rglob("*") if path.is_file()] == ([] if DELETES else ["mine.txt"])


async def test_paths_in_answers_are_those_that_the_agent_uses(place: Any, run: Run, workspace: Path) -> None:
    sandbox, root = place
    (workspace / "d").mkdir()
    (workspace / "d/f.txt").write_text("needle\n")
    looking: Turn = [
        ("ls", {"path": f"{root}/d"}),
        ("glob", {"pattern": "**/f.txt", "path": root or "/"}),
        ("grep", {"pattern": "needle", "path": root or "/"}),
    ]
    changing: Turn = [
        ("write_file", {"file_path": f"{root}/d/new.txt", "content": "x"}),
        ("edit_file", {"file_path": f"{root}/d/f.txt", "old_string": "needle", "new_string": "pin"}),
        ("read_file", {"file_path": f"{root}/d/none.txt"}),
    ]
    for message in await run(create_deep_agent(model=scripted(looking, changing), backend=sandbox)):
        if message.name != "glob" or GLOB_IS_ABSOLUTE:
            assert f"{root}/d/" in str(message.content), message.name
        if not root:
            assert str(workspace) not in str(message.content), message.name


async def test_what_is_too_long_is_kept_where_the_agent_can_read_it(place: Any, run: Run) -> None:
    sandbox, _ = place
    turns: list[Turn] = [
        [("execute", {"command": f"seq -w {LONG}"})],
        [
            ("ls", {"path": "/large_tool_results"}),
            ("grep", {"pattern": f"0{LONG // 2}", "path": "/large_tool_results"}),
        ],
    ]
    long, ls, grep = await run(create_deep_agent(model=scripted(*turns), backend=sandbox))
    assert len(str(long.content)) < LONG and "/large_tool_results/" in str(long.content)
    kept = str(ls.content)
    assert "/large_tool_results/" in kept
    assert "/large_tool_results/" in str(grep.content)


def subagent(name: str, turns: list[Turn]) -> Any:
    return {"name": name, "description": name, "system_prompt": "Work.", "model": scripted(*turns)}


async def test_two_subagents_at_once_on_one_sandbox(place: Any, run: Run, workspace: Path) -> None:
    """Each waits for a file of the other's, so neither ends unless both run; then each uses every tool."""
    sandbox, root = place
    subagents = []
    for mine, other in (("left", "right"), ("right", "left")):
        wait = f"touch {mine}.here; until [ -e {other}.here ]; do sleep 0.01; done; echo met {other}"
        meeting: list[Turn] = [
            [("execute", {"command": wait, "timeout": 60})],
            [("write_file", {"file_path": f"{root}/{mine}.met", "content": mine})],
        ]
        subagents.append(subagent(mine, [*meeting, *work(f"{root}/{mine}", mine)]))
    tasks: Turn = [("task", {"description": "go", "subagent_type": name}) for name in ("left", "right")]
    checks: Turn = [("execute", {"command": "cat left.met right.met; ls left right", "timeout": 20})]
    agent = create_deep_agent(model=scripted(tasks, checks), backend=sandbox, subagents=subagents)
    left, right, both = await run(agent)
    assert [str(left.content), str(right.content)] == ["done", "done"]
    assert "leftright" in str(both.content)
    for name in ("left", "right"):
        directory = workspace / name
        assert [path.name for path in directory.iterdir()] == ([] if DELETES else [f"{name}.txt"])
