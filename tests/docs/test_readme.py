"""The README's examples, run as they stand there, and the links of the README and of docs/.

Every block of code says its language, and one that this file does not know how to run is a failure. A
block runs in an empty directory with a home of its own; `nono` is the program named by NONO_CLI, else the
one beside this interpreter, else the one in /opt/lc-venv. `model` of the agent's example is a scripted
one. What ./test runs itself is not run again, only looked at.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = {"./demo", "./test", "pip install .", "pip install ./integrations/langchain"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Figures and the commands that made them are filled in by whoever ran the benchmarks.
FIGURES = re.compile(r"<!-- bench:begin -->.*?<!-- bench:end -->", re.DOTALL)

MODEL = f"""
import sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {str(ROOT / "integrations/langchain/tests")!r})
from scripted import scripted
model = scripted(
    [("write_file", {{"file_path": "{{here}}/made.txt", "content": "by the agent"}})],
    [("execute", {{"command": "cat made.txt > copy.txt; cat /etc/passwd > leak.txt"}})],
)
"""


def blocks() -> list[tuple[str, str, int]]:
    """Language, text and line number of each block of code in the README."""
    text = README.read_text()
    return [(m[1], m[2], text.count("\n", 0, m.start()) + 2) for m in BLOCK.finditer(text)]


def of(language: str) -> list[object]:
    return [pytest.param(text, id=f"line {line}") for name, text, line in blocks() if name == language]


def commands(text: str) -> list[str]:
    return [" ".join(words) for line in text.splitlines() if (words := shlex.split(line, comments=True))]


def nono() -> Path:
    candidates = [Path(sys.executable).parent / "nono", Path("/opt/lc-venv/bin/nono")]
    if os.environ.get("NONO_CLI"):
        candidates = [Path(os.environ["NONO_CLI"])]
    for path in candidates:
        if os.access(path, os.X_OK):
            return path.absolute()
    pytest.fail(f"no nono program; looked at {', '.join(map(str, candidates))}: name it with NONO_CLI")


class Place:
    """An empty directory to run examples in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "work"
        self.home = directory / "home"
        programs = directory / "bin"
        for path in (self.directory, self.home, programs):
            path.mkdir()
        (programs / "nono").symlink_to(nono())
        # The interpreter is a system's one: a shim in somebody's home is not what the examples are about.
        path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
        self.environment = {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8"}

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
        )

    def names(self) -> set[str]:
        return {path.name for path in self.directory.iterdir()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(Path(os.path.realpath(tmp_path)))


def test_every_block_is_of_a_known_language() -> None:
    assert {language for language, _, _ in blocks()} == {"bash", "console", "python"}


def is_looked_at(path: str) -> None:
    """Is there something of that name that can be run, or installed?"""
    file = ROOT / path
    if file.is_dir():
        assert tomllib.loads((file / "pyproject.toml").read_text())["project"]["name"]
    else:
        assert os.access(file, os.X_OK), f"{file} cannot be run"
        subprocess.run(["bash", "-n", str(file)], check=True)


@pytest.mark.parametrize("text", of("bash"))
def test_bash(text: str, place: Place) -> None:
    lines = commands(text)
    if NOT_RUN.issuperset(lines):
        for line in lines:
            is_looked_at(line.split()[-1])
        return
    assert not NOT_RUN.intersection(lines), "a block is run as a whole or not at all"
    result = place.run("bash", "-euo", "pipefail", "-c", text)
    assert result.returncode == 0, result.stdout
    assert place.names() <= {"out.txt"}


@pytest.mark.parametrize("text", of("console"))
def test_console(text: str, place: Place) -> None:
    """Commands after `$ `, and what they print."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        assert place.run("bash", "-c", command).stdout == printed


@pytest.mark.parametrize("text", of("python"))
def test_python(text: str, place: Place) -> None:
    has_agent = "create_deep_agent" in text
    before = MODEL.replace("{here}", str(place.directory)) if has_agent else ""
    result = place.run(sys.executable, "-c", before + text)
    assert result.returncode == 0, result.stdout
    if has_agent:
        assert (place.directory / "made.txt").read_text() == "by the agent"
        assert (place.directory / "copy.txt").read_text() == "by the agent"
        assert (place.directory / "leak.txt").read_text() == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    """Every relative link leads somewhere, and so does every path of ours between backquotes."""
    text = FIGURES.sub("", page.read_text())
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    top = "src|bindings|integrations|tests|docs|scripts|examples|fuzz|bench|cmake"
    for path in re.findall(rf"`((?:{top})/[\w./-]+)`", text):
        if not (ROOT / path).exists():
            missing.append(path)
    assert not missing


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def test_pages_that_the_code_refers_to() -> None:
    missing = []
    for top in ("src", "bindings", "integrations", "tests", "scripts", "examples", "fuzz"):
        for file in (ROOT / top).rglob("*"):
            if file.suffix in {".h", ".cc", ".inc", ".py", ".md", ".txt", ".sh", ""} and file.is_file():
                for page in re.findall(r"docs/[\w/.-]+\.md", file.read_text(errors="replace")):
                    if not (ROOT / page).exists():
                        missing.append(f"{file.relative_to(ROOT)}: {page}")
    assert not missing


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(page.name[:4]) for page in sorted((ROOT / "docs/decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_facts_that_decisions_rest_on(tmp_path: Path) -> None:
    """What Landlock alone leaves open, tried on this kernel (0004, 0005, 0006)."""
    script = ROOT / "docs/decisions/measure/kernel_facts.py"
    result = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    abi = re.search(r"Landlock ABI (\d+)", result.stdout)
    if abi is None or int(abi[1]) < 4:
        pytest.skip("expected: needs Landlock ABI 4")
    assert result.returncode == 0, result.stderr
    assert "refused (Permission denied): read a file" in result.stdout
    assert "refused (Permission denied): TCP connect\n" in result.stdout
    assert "works: that port on 127.0.0.2" in result.stdout
    assert "works: chmod a file" in result.stdout
    if int(abi[1]) < 9:
        assert "works: connect to a Unix socket by path" in result.stdout
    if os.geteuid() == 0:
        assert "works: fork as uid 0" in result.stdout
        assert "refused (Resource temporarily unavailable): fork as uid 65534" in result.stdout
