"""What developers run all day works inside, with the sandbox's defaults."""

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from langchain_nono import NonoSandbox


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project"
    path.mkdir()
    return path


def works(project: Path, script: str) -> str:
    with NonoSandbox(working_dir=project) as sandbox:
        response = sandbox.execute(f"set -e\n{script}")
    assert response.exit_code == 0, response.output
    return response.output


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"expected: no {program} on this machine")


REPOSITORY = """
git init -q repository
cd repository
git config user.email a@example.com
git config user.name a
echo one > file
git add file
git commit -qm one
"""


def test_git_add_commit_branch_worktree_and_clone(project: Path) -> None:
    script = f"""{REPOSITORY}
git checkout -qb other
git worktree add -q ../tree -b third
cd ../tree
echo two >> file
git commit -qam two
cd ..
git clone -q repository clone
cd clone
git fetch -q origin third
git merge -q FETCH_HEAD
git gc -q
git status --porcelain
git log --format=%s
"""
    assert works(project, script).split() == ["two", "one"]


def test_pip_installs_a_wheel_into_a_new_environment(project: Path) -> None:
    info = "example-1.0.dist-info"
    files = {
        "example.py": "answer = 42\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(project / "example-1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]))
    script = """
/usr/bin/python3 -m venv environment
environment/bin/pip install -q --no-index ./example-1.0-py3-none-any.whl
environment/bin/python -c 'import example; print(example.answer)'
"""
    assert works(project, script) == "42\n"


def test_npm_installs_a_tarball(project: Path) -> None:
    needs("npm")
    script = """
mkdir dependency application
cd dependency
echo '{"name": "dependency", "version": "1.0.0", "main": "index.js"}' > package.json
echo 'module.exports = 42' > index.js
npm pack --silent > /dev/null
cd ../application
echo '{"name": "application", "version": "1.0.0"}' > package.json
npm install --silent --offline --no-audit --no-fund ../dependency/dependency-1.0.0.tgz
node -e 'console.log(require("dependency"))'
"""
    assert works(project, script) == "42\n"


def test_make_builds_with_two_jobs(project: Path) -> None:
    for program in ("make", "cc"):
        needs(program)
    for i in range(20):
        (project / f"f{i}.c").write_text(f"int f{i}(int x) {{ return x + {i}; }}\n")
    calls = " + ".join(f"f{i}(0)" for i in range(20))
    declarations = "".join(f"int f{i}(int);\n" for i in range(20))
    (project / "main.c").write_text(f"#include <stdio.h>\n{declarations}int main(void) {{ printf(\"%d\\n\", {calls}); }}\n")
    (project / "Makefile").write_text("program: $(patsubst %.c,%.o,$(wildcard *.c))\n\t$(CC) -o $@ $^\n")
    assert works(project, "make -s -j2\n./program\nmake -s\n") == "190\n"


def test_pytest_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (project / "test_it.py").write_text(
        "import subprocess\n\ndef test_it(tmp_path):\n    (tmp_path / 'f').write_text('x')\n"
        "    assert subprocess.run(['true']).returncode == 0\n"
    )
    assert "1 passed" in works(project, "python -m pytest -q -p no:cacheprovider test_it.py")


def test_tar_and_cp_keep_modes_and_times(project: Path) -> None:
    script = """
mkdir -m 750 from
touch -d 2001-02-03T04:05:06Z from/file
chmod 604 from/file
tar cf all.tar from
mkdir to
tar xpf all.tar -C to
cp -a to/from copy
stat -c '%a %Y' to/from/file copy/file
stat -c %a copy
"""
    assert works(project, script).split("\n")[:3] == ["604 981173106", "604 981173106", "750"]
