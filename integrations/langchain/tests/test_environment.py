"""The environment of commands: a HOME of their own, and the way to what is granted of the caller's."""

import os
import shutil
from pathlib import Path

import pytest

from langchain_nono import NonoSandbox
from langchain_nono.environment import granted_places
from langchain_nono.home import PrivateHome


@pytest.fixture
def callers_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    (path / ".gitconfig").write_text("[user]\nname = Caller\n")
    monkeypatch.setenv("HOME", str(path))
    for name in ("RUSTUP_HOME", "PYENV_ROOT", "GIT_CONFIG_GLOBAL", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return path


def value(sandbox: NonoSandbox, name: str) -> str:
    return sandbox.execute(f"printenv {name}").output.strip()


def test_commands_have_a_home_of_their_own(workspace: Path, callers_home: Path) -> None:
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        home = value(sandbox, "HOME")
        assert home != value(sandbox, "TMPDIR")
        assert os.stat(home).st_mode & 0o777 == 0o700
        assert sandbox.execute("cd && mkdir -p a/b && echo text > a/b/c && cat ~/a/b/c").output == "text\n"
        assert sandbox.execute("cat ~/a/b/c").output == "text\n"
        assert sandbox.download_files([f"{home}/a/b/c"])[0].content == b"text\n"
    assert not os.path.exists(home)
    assert sorted(os.listdir(callers_home)) == [".gitconfig"]

    sandbox = NonoSandbox(working_dir=str(workspace))
    home = value(sandbox, "HOME")
    del sandbox
    assert not os.path.exists(home)


def test_a_granted_home_is_kept(workspace: Path, callers_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with NonoSandbox(working_dir=str(workspace), allow_readwrite=[str(callers_home)]) as sandbox:
        assert value(sandbox, "HOME") == str(callers_home)
    with NonoSandbox(working_dir=str(callers_home)) as sandbox:
        assert value(sandbox, "HOME") == str(callers_home)
    for one_way in ("allow_read", "allow_write"):
        with NonoSandbox(working_dir=str(workspace), **{one_way: [str(callers_home)]}) as sandbox:
            assert value(sandbox, "HOME") != str(callers_home)
    for nothing in ("", "relative"):
        monkeypatch.setenv("HOME", nothing)
        with NonoSandbox(working_dir=str(workspace)) as sandbox:
            assert os.path.isabs(value(sandbox, "HOME"))


def test_which_home_can_be_chosen(workspace: Path, callers_home: Path) -> None:
    with NonoSandbox(working_dir=str(workspace), home="caller") as sandbox:
        assert value(sandbox, "HOME") == str(callers_home)
        assert sandbox.execute("cat ~/.gitconfig").exit_code == 1
    with NonoSandbox(working_dir=str(callers_home), home="private") as sandbox:
        assert value(sandbox, "HOME") != str(callers_home)
    with pytest.raises(ValueError, match="home must be 'auto', 'private' or 'caller', got 'mine'"):
        NonoSandbox(working_dir=str(workspace), home="mine")  # type: ignore[arg-type]


def test_programs_find_what_is_granted_of_the_callers_home(
    workspace: Path, callers_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".rustup", ".cache", ".pyenv"):
        (callers_home / name).mkdir()
    with NonoSandbox(
        working_dir=str(workspace), allow_read=[str(callers_home / ".rustup"), str(callers_home / ".cache")]
    ) as sandbox:
        assert value(sandbox, "RUSTUP_HOME") == f"{callers_home}/.rustup"
        assert value(sandbox, "PYENV_ROOT") == ""
        assert value(sandbox, "XDG_CACHE_HOME") == ""  # it would have to be written
    with NonoSandbox(working_dir=str(workspace), allow_readwrite=[str(callers_home / ".cache")]) as sandbox:
        assert value(sandbox, "XDG_CACHE_HOME") == f"{callers_home}/.cache"

    elsewhere = callers_home / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("RUSTUP_HOME", str(elsewhere))
    with NonoSandbox(working_dir=str(workspace), allow_read=[str(elsewhere)]) as sandbox:
        assert value(sandbox, "RUSTUP_HOME") == str(elsewhere)
    with NonoSandbox(working_dir=str(workspace), allow_read=[str(callers_home / ".rustup")]) as sandbox:
        assert value(sandbox, "RUSTUP_HOME") == ""


def test_no_home_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYENV_ROOT", "RUSTUP_HOME"):
        monkeypatch.delenv(name, raising=False)
    places = granted_places("", lambda path, mode: True)
    assert "PYENV_ROOT" not in places and "RUSTUP_HOME" not in places


@pytest.mark.skipif(shutil.which("git") is None, reason="expected: git is not installed")
def test_git_takes_settings_of_the_agents_own(workspace: Path, callers_home: Path) -> None:
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        assert sandbox.execute("git config user.name").output == ""
        assert sandbox.execute("git config --global user.name Agent").exit_code == 0
        assert sandbox.execute("git config --global user.name").output == "Agent\n"
    assert (callers_home / ".gitconfig").read_text() == "[user]\nname = Caller\n"


def test_protected_names_can_be_written_in_a_private_home_alone(workspace: Path, callers_home: Path) -> None:
    names = (".bashrc", ".npmrc", ".profile", ".ssh/config", ".local/bin/tool")
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        for name in names:
            result = sandbox.execute(f"echo text > ~/{name} && cat ~/{name}")
            assert (result.output, result.exit_code) == ("text\n", 0)
        assert sandbox.execute("echo text > .bashrc").exit_code == 1


def test_a_private_home_is_removed_with_its_links() -> None:
    home = PrivateHome()
    assert os.path.realpath(f"{home.path}/.ssh") == f"{home.path}/.nono/ssh"
    home.remove()
    assert not os.path.exists(home.path)
