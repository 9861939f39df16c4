"""A real agent with a scripted model: the tools as the SDK calls them."""

from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain_core.messages import ToolMessage
from scripted import scripted

from langchain_nono import NonoSandbox

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def turns(root: str, outside: Path) -> list[list[tuple[str, dict[str, Any]]]]:
    path = f"{root}/hello.py"
    return [
        [("write_file", {"file_path": path, "content": "print('hullo')\n"})],
        [
            ("read_file", {"file_path": path}),
            ("grep", {"pattern": "hullo", "path": root or "/"}),
            ("glob", {"pattern": "*.py", "path": root or "/"}),
            ("ls", {"path": root or "/"}),
        ],
        [("edit_file", {"file_path": path, "old_string": "hullo", "new_string": "hello"})],
        [("execute", {"command": "python3 hello.py; exit 3", "timeout": 20})],
        [("execute", {"command": f"cat {outside}/secret.txt"})],
        [("read_file", {"file_path": f"{outside}/secret.txt"})],
        [("execute", {"command": "sleep 20", "timeout": 1})],
    ]


def check(messages: list[Any], workspace: Path) -> None:
    results = [message for message in messages if isinstance(message, ToolMessage)]
    write, read, grep, glob, ls, edit, run, cat, leak, slow = [str(message.content) for message in results]
    assert "hello.py" in write
    assert "hullo" in read
    for listing in (grep, glob, ls):
        assert "hello.py" in listing
    assert "hello.py" in edit and "rror" not in edit
    assert "hello\n" in run and "exit code 3" in run
    assert "Permission denied" in cat and "the secret" not in cat
    assert "the secret" not in leak
    assert "exit code 124" in slow
    assert messages[-1].content == "done"
    assert (workspace / "hello.py").read_text() == "print('hello')\n"


@pytest.fixture(params=[False, True], ids=["host paths", "virtual root"])
def case(request: pytest.FixtureRequest, workspace: Path, outside: Path) -> Any:
    with NonoSandbox(working_dir=str(workspace), virtual_workspace_root=request.param) as sandbox:
        model = scripted(*turns("" if request.param else str(workspace), outside))
        yield create_deep_agent(model=model, backend=sandbox)


def test_an_agent(case: Any, workspace: Path) -> None:
    check(case.invoke({"messages": [("user", "go")]})["messages"], workspace)


async def test_an_async_agent(case: Any, workspace: Path) -> None:
    check((await case.ainvoke({"messages": [("user", "go")]}))["messages"], workspace)
