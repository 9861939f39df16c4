"""What is granted, denied and protected holds for the file tools as it holds for commands."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from releases import DELETES
from tools import Drive, Tools, paths, text

from langchain_nono import NonoSandbox

SECRET = "the secret"


def needs_supervisor(sandbox: NonoSandbox) -> None:
    response = sandbox.execute("true")
    if response.exit_code == 126 and "takes a supervisor" in response.output:
        pytest.skip("expected: this host allows neither namespaces nor a supervisor")


async def closed(tools: Tools, path: str) -> None:
    """Nothing can be learnt of the content of this file, and nothing done to it."""
    before = Path(path).read_bytes()
    result = await tools.read(path)
    assert result.error == f"File '{path}': permission_denied" and result.file_data is None
    assert await tools.download(path) == "permission_denied"
    assert not (await tools.grep("secret", path)).matches
    await fixed(tools, path)
    assert Path(path).read_bytes() == before


async def fixed(tools: Tools, path: str) -> None:
    """The file cannot be changed or removed by any tool."""
    before = Path(path).read_bytes()
    assert (await tools.write(path, "x")).error
    assert (
        await tools.edit(path, before.decode(), "x")
    ).error == f"Error: Permission denied editing file '{path}'"
    assert await tools.upload(path, b"x") == "permission_denied"
    if DELETES:
        assert (await tools.delete(path)).error
    assert Path(path).read_bytes() == before


@pytest.fixture
def denying(workspace: Path) -> Iterator[NonoSandbox]:
    for name in (
        ".env",
        "sub/.env",
        "keys/a.pem",
        "keys/note.txt",
        "vault/x",
        "vault/d/y",
        "link.d/f",
        "open.txt",
    ):
        (workspace / name).parent.mkdir(exist_ok=True, parents=True)
        (workspace / name).write_text(SECRET)
    (workspace / "to_env").symlink_to(".env")
    (workspace / "to_vault").symlink_to("vault")
    deny = ["**/.env", "**/*.pem", str(workspace / "vault")]
    with NonoSandbox(working_dir=str(workspace), deny=deny) as sandbox:
        needs_supervisor(sandbox)
        yield sandbox


DENIED = [".env", "sub/.env", "keys/a.pem", "vault/x", "vault/d/y", "to_env", "to_vault/x", "keys/../.env"]


@pytest.mark.parametrize("name", DENIED)
async def test_what_is_denied_is_closed(
    denying: NonoSandbox, workspace: Path, drive: Drive, name: str
) -> None:
    path = f"{workspace}/{name}"
    tools = drive(denying)
    assert SECRET not in denying.execute(f"cat {shlex.quote(path)}").output
    if name.startswith("to_env"):  # the link itself is not denied, and may go
        assert text(await tools.read(path)) is None
        assert (await tools.edit(path, SECRET, "x")).error
        assert (await tools.write(path, "x")).error
        assert await tools.upload(path, b"x") == await tools.download(path) == "permission_denied"
    else:
        await closed(tools, path)
    assert (workspace / ".env").read_text() == SECRET


async def test_searches_pass_by_what_is_denied(denying: NonoSandbox, workspace: Path, drive: Drive) -> None:
    tools = drive(denying)
    expected = [f"{workspace}/{name}" for name in ("keys/note.txt", "link.d/f", "open.txt")]
    assert paths(await tools.grep("secret", str(workspace))) == expected
    assert paths(await tools.grep("secret", str(workspace), "**/*")) == expected
    listing = await tools.ls(f"{workspace}/vault")
    assert (listing.error, listing.entries) == (f"Path '{workspace}/vault': permission_denied", None)
    assert not (await tools.glob("*", f"{workspace}/vault")).matches


async def test_denied_names_cannot_be_made(denying: NonoSandbox, workspace: Path, drive: Drive) -> None:
    tools = drive(denying)
    before = sorted(workspace.rglob("*"))
    for name in ("new/.env", "b.pem", "keys/new.pem", ".env/f", "vault/new", "vault/new/deeper"):
        assert (await tools.write(f"{workspace}/{name}", "x")).error, name
        assert await tools.upload(f"{workspace}/{name}", b"x") == "permission_denied", name
    assert [path for path in sorted(workspace.rglob("*")) if path.is_file()] == [
        path for path in before if path.is_file()
    ]


@pytest.mark.skipif(not DELETES, reason="expected: there is no delete before deepagents 0.7")
async def test_a_directory_with_something_denied_in_it_keeps_that(
    denying: NonoSandbox, workspace: Path, drive: Drive
) -> None:
    tools = drive(denying)
    for name in ("keys", "sub", "vault"):
        assert (await tools.delete(f"{workspace}/{name}")).error
    for name in ("keys/a.pem", "sub/.env", "vault/x", "vault/d/y"):
        assert (workspace / name).read_text() == SECRET


async def test_a_grant_inside_what_is_denied_is_open(workspace: Path, drive: Drive) -> None:
    (workspace / "vault/open").mkdir(parents=True)
    (workspace / "vault/open/f").write_text("open")
    (workspace / "vault/f").write_text(SECRET)
    with NonoSandbox(
        working_dir=str(workspace),
        deny=[str(workspace / "vault")],
        allow_readwrite=[str(workspace / "vault/open")],
    ) as sandbox:
        needs_supervisor(sandbox)
        tools = drive(sandbox)
        await closed(tools, f"{workspace}/vault/f")
        assert text(await tools.read(f"{workspace}/vault/open/f")) == "open"
        assert (await tools.edit(f"{workspace}/vault/open/f", "open", "changed")).error is None


PROTECTED = [
    *(
        ".git/hooks/pre-commit",
        ".git/config",
        ".envrc",
        ".vscode/tasks.json",
        ".claude/settings.json",
        ".mcp.json",
    ),
    *("sub/.git/config", "sub/.npmrc", ".venv/bin/python"),
]


@pytest.mark.parametrize("name", PROTECTED)
async def test_what_is_protected_is_read_only(workspace: Path, drive: Drive, name: str) -> None:
    path = workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("needle\n")
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        needs_supervisor(sandbox)
        tools = drive(sandbox)
        assert text(await tools.read(str(path))) == "needle"
        assert await tools.download(str(path)) == b"needle\n"
        assert paths(await tools.grep("needle", str(path))) == [str(path)]
        await fixed(tools, str(path))
        if DELETES and path.parent != workspace:
            assert (await tools.delete(str(path.parent))).error
        assert sandbox.execute(f"rm -f {name}").exit_code != 0
    assert path.read_text() == "needle\n"
    with NonoSandbox(working_dir=str(workspace), unprotect=["all"]) as sandbox:
        assert (await drive(sandbox).edit(str(path), "needle", "pin")).error is None


@pytest.mark.parametrize("name", PROTECTED[:-1])
async def test_what_is_protected_cannot_be_made(workspace: Path, drive: Drive, name: str) -> None:
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        needs_supervisor(sandbox)
        tools = drive(sandbox)
        if not name.startswith("sub/.git"):  # a repository that the agent makes itself is its own
            assert (await tools.write(f"{workspace}/{name}", "x")).error
            assert await tools.upload(f"{workspace}/{name}", b"x") == "permission_denied"
        assert (await tools.write(f"{workspace}/harmless", "x")).error is None
    assert [path.name for path in workspace.rglob("*") if path.is_file()] == ["harmless"]


@pytest.fixture
def one_way(workspace: Path, tmp_path: Path) -> Iterator[tuple[NonoSandbox, Path, Path]]:
    source, sink = tmp_path / "source", tmp_path / "sink"
    for directory in (source, sink):
        (directory / "d").mkdir(parents=True)
        (directory / "f.txt").write_text("needle\n")
    with NonoSandbox(
        working_dir=str(workspace), allow_read=[str(source)], allow_write=[str(sink)]
    ) as sandbox:
        yield sandbox, source, sink


async def test_a_root_to_read(one_way: tuple[NonoSandbox, Path, Path], drive: Drive) -> None:
    sandbox, source, _ = one_way
    tools, path = drive(sandbox), f"{source}/f.txt"
    assert text(await tools.read(path)) == "needle"
    assert paths(await tools.ls(str(source))) == [f"{source}/d", path]
    assert paths(await tools.grep("needle", str(source))) == [path]
    found = [os.path.join(source, each) for each in paths(await tools.glob("*.txt", str(source)))]
    assert found == [path]
    await fixed(tools, path)
    for name in ("new", "new/deeper", "d/new"):
        assert (await tools.write(f"{source}/{name}", "x")).error
        assert await tools.upload(f"{source}/{name}", b"x") == "permission_denied"
    if DELETES:
        assert (await tools.delete(f"{source}/d")).error
        assert (await tools.delete(str(source))).error
    assert sorted(os.listdir(source)) == ["d", "f.txt"] and os.listdir(source / "d") == []


async def test_a_root_to_write(one_way: tuple[NonoSandbox, Path, Path], drive: Drive) -> None:
    sandbox, _, sink = one_way
    tools, path = drive(sandbox), f"{sink}/f.txt"
    assert (await tools.read(path)).error == f"File '{path}': permission_denied"
    assert await tools.download(path) == "permission_denied"
    listing = await tools.ls(str(sink))
    assert (listing.error, listing.entries) == (f"Path '{sink}': permission_denied", None)
    for result in (await tools.grep("needle", str(sink)), await tools.glob("*", str(sink))):
        assert not result.matches
    assert (await tools.edit(path, "needle", "x")).error
    assert (sink / "f.txt").read_text() == "needle\n"
    assert (await tools.write(f"{sink}/new/deeper", "x")).error is None
    assert await tools.upload(path, b"new") is None
    assert (sink / "f.txt").read_text() == "new"
    assert (sink / "new/deeper").read_text() == "x"


async def test_outside_there_is_and_there_is_not_look_the_same(
    tools: Tools, workspace: Path, outside: Path
) -> None:
    answers: dict[str, set[Any]] = {}
    for name in ("secret.txt", "nothing.ee"):
        path = f"{outside}/{name}"
        for tool, arguments in {
            "read": (path,),
            "edit": (path, "a", "b"),
            "write": (path, "x"),
            "ls": (path,),
            "glob": ("*", path),
            "grep": ("a", path),
        }.items():
            answer = str(await getattr(tools, tool)(*arguments)).replace(name, "")
            answers.setdefault(tool, set()).add(answer)
        answers.setdefault("download", set()).add(await tools.download(path))
        answers.setdefault("upload", set()).add(await tools.upload(path, b"x"))
    assert {tool: len(each) for tool, each in answers.items()} == dict.fromkeys(answers, 1)
    assert os.listdir(outside) == ["secret.txt"]


async def test_a_closed_sandbox_opens_nothing(workspace: Path, drive: Drive) -> None:
    (workspace / "f").write_text(SECRET)
    sandbox = NonoSandbox(working_dir=str(workspace))
    sandbox.close()
    tools, path = drive(sandbox), f"{workspace}/f"
    for tool, arguments in {
        "read": (path,),
        "write": (path, "x"),
        "edit": (path, SECRET, "x"),
        "ls": (str(workspace),),
    }.items():
        try:
            result = await getattr(tools, tool)(*arguments)
        except RuntimeError as refusal:
            assert "closed" in str(refusal)
        else:
            assert result.error, tool
    assert isinstance(await tools.download(path), str)
    assert await tools.upload(path, b"x") is not None
    assert (workspace / "f").read_text() == SECRET
