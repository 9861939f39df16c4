"""Long output goes to a file and comes back as a preview."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from deepagents.backends import CompositeBackend, protocol
from langchain_core.messages import ToolMessage
from scripted import scripted

from langchain_nono import NonoSandbox
from langchain_nono.offload import preview

if not hasattr(protocol, "ExecuteOffloadResult"):
    pytest.skip("expected: deepagents offloads since 0.7.0", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
HAS_MARKER = "preview_has_truncation_marker" in {
    f.name for f in dataclasses.fields(protocol.ExecuteOffloadResult)
}
LINES = "".join(f"line {number}\n" for number in range(30_000))  # 328,890 bytes


def has_marker(result: Any) -> bool:
    return (
        result.preview_has_truncation_marker
        if HAS_MARKER
        else "lines truncated] ..." in result.response.output
    )


def test_short_output_is_returned_as_it_is(sandbox: NonoSandbox, workspace: Path) -> None:
    path = f"{workspace}/capture"
    result = sandbox.execute_with_offload("echo hi; echo err >&2; exit 3", path, max_inline_bytes=80_000)
    assert not result.offloaded and not has_marker(result)
    assert result.response == sandbox.execute("echo hi; echo err >&2; exit 3")
    assert os.listdir(workspace) == []
    exactly = sandbox.execute_with_offload("printf 1234567890", path, max_inline_bytes=10)
    assert not exactly.offloaded
    assert sandbox.execute_with_offload("printf 1234567890", path, max_inline_bytes=9).offloaded


def test_long_output_is_captured(sandbox: NonoSandbox, workspace: Path) -> None:
    path = f"{workspace}/new/capture"
    command = "for ((i = 0; i < 30000; i++)); do echo line $i; done; echo run >> runs; exit 7"
    result = sandbox.execute_with_offload(command, path, max_inline_bytes=80_000)
    assert result.offloaded and has_marker(result)
    assert (result.response.exit_code, result.response.truncated) == (7, False)
    assert result.response.output == (
        "line 0\nline 1\nline 2\nline 3\nline 4\n... [29990 lines truncated] ...\n"
        "line 29995\nline 29996\nline 29997\nline 29998\nline 29999\n"
    )
    assert Path(path).read_text() == LINES
    assert (workspace / "runs").read_text() == "run\n"  # once


async def test_async_commands_are_captured_too(sandbox: NonoSandbox, workspace: Path) -> None:
    path = f"{workspace}/capture"
    command = "yes | head -c 200000; exit 7"
    result = await sandbox.aexecute_with_offload(command, path, max_inline_bytes=80_000)
    assert result.offloaded and result.response.exit_code == 7
    assert Path(path).read_text() == "y\n" * 100_000
    result = await sandbox.aexecute_with_offload("echo hi", path, max_inline_bytes=80_000)
    assert not result.offloaded and result.response.output == "hi\n"
    with pytest.raises(ValueError, match="timeout must be positive"):
        await sandbox.aexecute_with_offload("true", path, max_inline_bytes=80_000, timeout=0)


def test_capture_is_bounded_and_says_so(sandbox: NonoSandbox, workspace: Path) -> None:
    path = f"{workspace}/capture"
    result = sandbox.execute_with_offload(
        "yes | head -c 5000000", path, max_inline_bytes=1000, max_capture_bytes=100_000
    )
    assert result.offloaded and result.response.truncated and result.response.exit_code == 0
    assert os.path.getsize(path) == 100_000


def test_stderr_and_the_reason_are_captured(sandbox: NonoSandbox, workspace: Path) -> None:
    path = f"{workspace}/capture"
    result = sandbox.execute_with_offload("seq 30000; cat /etc/passwd", path, max_inline_bytes=80_000)
    last = result.response.output.rsplit("\n", 1)[-1]
    assert last.startswith("[nono] /etc/passwd: reading is not granted here")
    assert Path(path).read_text().endswith(last)
    assert "<stderr>cat: /etc/passwd" in result.response.output


def test_a_timeout_keeps_what_was_written(sandbox: NonoSandbox, workspace: Path) -> None:
    path = f"{workspace}/capture"
    result = sandbox.execute_with_offload("seq 30000; sleep 60", path, max_inline_bytes=1000, timeout=1)
    assert result.offloaded and result.response.exit_code == 124
    assert Path(path).read_text().startswith("1\n2\n")


@pytest.mark.parametrize("path", ["/nonexistent/capture", "relative", "{outside}/capture"])
def test_a_file_that_cannot_be_written_leaves_the_response(
    sandbox: NonoSandbox, outside: Path, path: str
) -> None:
    result = sandbox.execute_with_offload(
        "seq 30000; exit 2", path.format(outside=outside), max_inline_bytes=1000
    )
    assert not result.offloaded
    assert result.response == sandbox.execute("seq 30000; exit 2")
    assert os.listdir(outside) == ["secret.txt"]


def test_it_can_be_turned_off(sandbox: NonoSandbox, workspace: Path) -> None:
    sandbox.enable_capture_offload = False
    result = sandbox.execute_with_offload("seq 30000", f"{workspace}/capture", max_inline_bytes=1000)
    assert not result.offloaded and result.response == sandbox.execute("seq 30000")
    assert os.listdir(workspace) == []


def test_previews_show_both_ends() -> None:
    assert preview(b"a\n" * 11)[1] and not preview(b"a\n" * 10)[1]
    text, marker = preview("€".encode() * 10_000)
    assert not marker
    assert text == "€" * 666 + "\n... [26000 bytes left out here; the path above has them] ...\n" + "€" * 666
    text, marker = preview(b"".join(b"%d" % (i % 10) * 3000 + b"\n" for i in range(20)))
    assert marker
    assert text == (
        "0" * 2000
        + "\n... [the lines around this are cut to 2000 bytes on each side] ...\n"
        + "... [10 lines truncated] ...\n"
        + "9" * 1999
        + "\n"
    )


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("is_virtual", [False, True])
async def test_an_agent_reads_back_what_was_captured(
    workspace: Path, is_async: bool, is_virtual: bool
) -> None:
    """200 KB of output: the model sees a preview, and finds the rest by `read_file`."""
    root = "" if is_virtual else f"{workspace}/.artifacts"
    captured = f"{root}/large_tool_results/0_0"
    model = scripted(
        [("execute", {"command": "for ((i = 0; i < 20000; i++)); do echo line $i; done; exit 3"})],
        [("read_file", {"file_path": captured, "offset": 15_000, "limit": 3})],
    )
    with NonoSandbox(working_dir=str(workspace), virtual_workspace_root=is_virtual) as sandbox:
        backend = sandbox if is_virtual else CompositeBackend(default=sandbox, routes={}, artifacts_root=root)
        agent = create_deep_agent(model=model, backend=backend)
        given = {"messages": [("user", "go")]}
        messages = (await agent.ainvoke(given) if is_async else agent.invoke(given))["messages"]
        whole = sandbox.download_files([captured])[0].content
    run, read = [message for message in messages if isinstance(message, ToolMessage)]
    assert captured in str(run.content)
    assert "failed with exit code 3" in str(run.content)
    assert "line 19999" in str(run.content) and len(str(run.content)) < 5000
    assert whole == "".join(f"line {number}\n" for number in range(20_000)).encode()
    assert "line 15000" in str(read.content) and "line 15002" in str(read.content)
    if run.artifact and "output_file" in run.artifact:
        assert run.artifact["output_file"] == captured
