"""Toolchains of the caller: what is granted for them, and that they run inside."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_nono import NonoSandbox
from langchain_nono.toolchains import DEFAULT_PATH, Survey, survey

SYSTEM = ["/usr", "/bin", "/lib"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    for name in ("PYENV_VERSION", "RUSTUP_HOME"):
        monkeypatch.delenv(name, raising=False)
    return path


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def installation(prefix: Path, name: str = "python3", mark: str = "lib/python3.11/os.py") -> Path:
    """A directory that looks like an installation; its program is the system's Python."""
    program(prefix / "bin" / name, '#!/bin/sh\nexec /usr/bin/python3 "$@"\n')
    (prefix / mark).parent.mkdir(parents=True, exist_ok=True)
    (prefix / mark).touch()
    return prefix


def found(path: object, working_dir: object = "/") -> tuple[list[str], str]:
    """What is granted for a PATH, and the PATH inside."""
    result = survey(str(path), str(working_dir), SYSTEM)
    granted = [grant.path for grant in result.grants]
    assert all(grant.reason for grant in result.grants)
    return granted, result.child_path(str(path), [*SYSTEM, *granted])


def test_system_programs_need_nothing() -> None:
    assert found("/usr/local/bin:/usr/bin:/bin") == ([], "/usr/local/bin:/usr/bin:/bin")


def test_relative_and_unreadable_entries_leave_the_path(home: Path) -> None:
    program(home / "bin/something")
    assert found(f"{home}/bin:.::bin:/usr/bin")[1] == "/usr/bin"
    assert Survey().child_path("/nonexistent", []) == DEFAULT_PATH


def test_an_installation_is_granted_by_its_prefix(home: Path) -> None:
    node = installation(home / ".nvm/versions/node/v20.1.0", "node", "include/node/node.h")
    assert found(f"{node}/bin:/usr/bin") == ([str(node)], f"{node}/bin:/usr/bin")


def test_a_link_to_an_installation_becomes_its_directory(home: Path) -> None:
    python = installation(home / ".local/share/uv/python/cpython-3.12.1")
    (home / ".local/bin").mkdir()
    (home / ".local/bin/python3").symlink_to(python / "bin/python3")
    assert found(f"{home}/.local/bin:/usr/bin") == ([str(python)], f"{python}/bin:/usr/bin")


def test_a_linked_directory_of_an_installation_is_kept(home: Path, tmp_path: Path) -> None:
    node = installation(
        home / ".local/share/fnm/node-versions/v20/installation", "node", "include/node/node.h"
    )
    (tmp_path / "multishell").symlink_to(node)
    assert found(f"{tmp_path}/multishell/bin") == ([str(node)], f"{tmp_path}/multishell/bin")


def test_a_virtual_environment_comes_with_its_base(home: Path) -> None:
    base = installation(home / ".local/share/uv/python/cpython-3.12.1")
    venv = home / "project/.venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python3").symlink_to(base / "bin/python3")
    (venv / "pyvenv.cfg").write_text(f"home = {base}/bin\n")
    assert found(f"{venv}/bin") == ([str(venv), str(base)], f"{venv}/bin")

    (venv / "bin/python3").unlink()
    program(venv / "bin/python3")  # made with --copies
    assert found(f"{venv}/bin")[0] == [str(venv), str(base)]


def test_pyenv_shims_get_their_manager_and_the_selected_version_first(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = home / ".pyenv"
    for version in ("3.9.18", "3.11.7", "3.11.10"):
        installation(root / "versions" / version)
    program(root / "shims/python3")
    (root / "version").write_text("3.9.18\n")
    path = f"{root}/shims:/usr/bin"

    def first(selected: str) -> None:
        assert found(path, workspace) == (
            [str(root)],
            f"{root}/versions/{selected}/bin:{root}/shims:/usr/bin",
        )

    first("3.9.18")
    (workspace.parent / ".python-version").write_text("3.11.7\n")
    first("3.11.7")
    (workspace / ".python-version").write_text("3.11\n")
    first("3.11.10")
    monkeypatch.setenv("PYENV_VERSION", "3.9.18")
    first("3.9.18")


@pytest.mark.parametrize("choice", ["system", "../../../..", "/", "", "..", "9.9", "\0", "3.9.18/envs/x"])
def test_a_version_file_can_only_choose_what_is_installed(home: Path, workspace: Path, choice: str) -> None:
    root = home / ".pyenv"
    installation(root / "versions/3.9.18")
    program(root / "shims/python3")
    (workspace / ".python-version").write_text(choice)
    assert found(f"{root}/shims", workspace) == ([str(root)], f"{root}/shims")


@pytest.mark.parametrize(
    ("file", "text", "version"),
    [
        (None, "", "3.12.2"),
        (".tool-versions", "# c\nnodejs 20\npython 3.11.1 # c\n", "3.11.1"),
        ("mise.toml", "[tools]\npython = '3.11'\n", "3.11.1"),
        (".mise.toml", "[tools]\npython = {version = '3.11.1'}\n", "3.11.1"),
        ("mise.toml", "[tools]\npython = ['3.11.1']\n", "3.11.1"),
        ("mise.toml", "broken [", "3.12.2"),
        ("mise.toml", "tools = 3", "3.12.2"),
    ],
)
def test_asdf_and_mise_shims_become_the_selected_version(
    home: Path, workspace: Path, file: str | None, text: str, version: str
) -> None:
    data = home / ".local/share/mise"
    for installed in ("3.11.1", "3.12.2"):
        installation(data / "installs/python" / installed)
    program(data / "shims/python3")
    if file:
        (workspace / file).write_text(text)
    prefix = f"{data}/installs/python/{version}"
    assert found(f"{data}/shims:/usr/bin", workspace) == ([prefix], f"{prefix}/bin:/usr/bin")


def test_rustup_is_granted_without_the_credentials_beside_it(home: Path) -> None:
    program(home / ".cargo/bin/rustup")
    (home / ".cargo/bin/cargo").symlink_to("rustup")
    (home / ".cargo/credentials.toml").touch()
    (home / ".rustup/toolchains").mkdir(parents=True)
    granted, path = found(f"{home}/.cargo/bin")
    assert granted == [f"{home}/.cargo/bin", f"{home}/.rustup"]
    assert path == f"{home}/.cargo/bin"


def test_a_planted_link_grants_nothing_but_installations(home: Path, workspace: Path) -> None:
    private = home / "private"
    program(private / "bin/deploy")
    (private / "key").touch()
    (workspace / "bin").mkdir()
    for name in ("python3", "node", "go"):
        (workspace / "bin" / name).symlink_to(private / "bin/deploy")
    assert found(f"{workspace}/bin")[0] == []


def test_homes_and_shared_directories_are_never_granted(home: Path, tmp_path: Path) -> None:
    installation(home)  # a home that looks like an installation, and is a virtual environment too
    (home / "pyvenv.cfg").write_text(f"home = {home}/bin\n")
    assert found(f"{home}/bin")[0] == []
    installation(tmp_path / "home/..")  # what lies above a home
    assert found(f"{tmp_path}/bin")[0] == []

    shared = installation(tmp_path / "shared")
    shared.chmod(0o777)
    assert found(f"{shared}/bin")[0] == []
    shared.chmod(0o755)
    assert found(f"{shared}/bin")[0] == [str(shared)]
    if os.geteuid() == 0:
        os.chown(shared, 12345, -1)
        assert found(f"{shared}/bin")[0] == []


def test_the_next_program_counts_when_the_first_cannot_run_inside(home: Path) -> None:
    program(home / "bin/python3")
    python = installation(home / "python")
    assert found(f"{home}/bin:{python}/bin") == ([str(python)], f"{python}/bin")


def test_broken_environments_are_no_environments(home: Path, workspace: Path) -> None:
    program(workspace / "bin/python3")
    for text in ("home = \0\n", "home = /\n", "home =\n", "\xff", "home = ../../..\n"):
        (workspace / "pyvenv.cfg").write_text(text)
        assert found(f"{workspace}/bin")[0] in ([], [str(workspace)])


# From here on in a real sandbox.


def test_every_directory_of_the_path_is_readable(sandbox: NonoSandbox) -> None:
    result = sandbox.execute('IFS=:; for d in $PATH; do [ ! -d "$d" ] || ls "$d" > /dev/null; done')
    assert (result.output, result.exit_code) == ("", 0)


def output_of_python(workspace: Path) -> str:
    """Runs python3 in a new sandbox and the file tools that need it; returns what it says of itself."""
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        path = f"{workspace}/file.txt"
        assert sandbox.write(path, "text\n").error is None
        assert sandbox.ls(str(workspace)).entries
        assert sandbox.glob("file.*", str(workspace)).matches
        assert sandbox.read(path).error is None
        os.unlink(path)
        result = sandbox.execute("python3 -c 'import sys, json, ssl; print(sys.prefix)'")
        assert result.exit_code == 0, result.output
        return result.output.strip()


def test_file_tools_do_not_depend_on_the_first_python3_of_path(
    home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first python3 is a shim: a script outside every grant, which starts another one."""
    root = home / ".pyenv"
    installation(root / "versions/3.11.7")
    program(root / "libexec/pyenv", f'#!/bin/bash\nexec {root}/versions/3.11.7/bin/python3 "$@"\n')
    program(root / "shims/python3", f'#!/bin/bash\nexec {root}/libexec/pyenv "$@"\n')
    for selected in ("3.11.7", "system"):
        (root / "version").write_text(selected)
        monkeypatch.setenv("PATH", f"{root}/shims:/usr/bin:/bin")
        assert output_of_python(workspace) == "/usr"


@pytest.mark.skipif(not shutil.which("pyenv"), reason="expected: no pyenv on PATH here")
def test_the_pyenv_of_this_machine_works(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binaries = os.path.dirname(shutil.which("pyenv") or "")
    monkeypatch.setenv("PATH", f"{os.path.dirname(binaries)}/shims:{binaries}:/usr/bin:/bin")
    assert output_of_python(workspace)
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        assert sandbox.execute("pyenv version").exit_code == 0


@pytest.mark.parametrize("copies", [False, True])
def test_a_virtual_environment_outside_the_workspace_works(
    tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, copies: bool
) -> None:
    venv = tmp_path / "venv"
    base = os.path.realpath(sys.executable)
    subprocess.run(
        [base, "-m", "venv", "--without-pip", *(["--copies"] if copies else []), str(venv)], check=True
    )
    monkeypatch.setenv("PATH", f"{venv}/bin:/usr/bin:/bin")
    assert output_of_python(workspace) == str(venv)


def test_a_virtual_environment_in_the_workspace_works(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(
        [os.path.realpath(sys.executable), "-m", "venv", "--without-pip", f"{workspace}/.venv"], check=True
    )
    monkeypatch.setenv("PATH", f"{workspace}/.venv/bin:/usr/bin:/bin")
    assert output_of_python(workspace) == f"{workspace}/.venv"


def test_toolchains_can_be_left_out(home: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = installation(home / "python")
    monkeypatch.setenv("PATH", f"{python}/bin:/usr/bin:/bin")
    with NonoSandbox(working_dir=str(workspace)) as sandbox:
        assert [(name, path) for name, path, _ in sandbox.toolchains] == [("python3", str(python))]
        assert sandbox.execute("which python3").output == f"{python}/bin/python3\n"
    with NonoSandbox(working_dir=str(workspace), inherit_toolchains=False) as sandbox:
        assert sandbox.toolchains == []
        assert sandbox.execute("which python3").output == "/usr/bin/python3\n"


@pytest.mark.parametrize(
    "command",
    ["node --version", "go version", "cargo --version", "rustc --version", "ruby --version", "java -version"],
)
def test_other_interpreters_of_the_caller_start(sandbox: NonoSandbox, command: str) -> None:
    if not shutil.which(command.split()[0]):
        pytest.skip("expected: not on PATH here")
    result = sandbox.execute(command)
    assert result.exit_code == 0, result.output


def test_a_rust_program_is_built(sandbox: NonoSandbox) -> None:
    if not shutil.which("rustc"):
        pytest.skip("expected: not on PATH here")
    result = sandbox.execute("echo 'fn main() { println!(\"built\"); }' > m.rs && rustc m.rs && ./m")
    assert result.output == "built\n"
