"""The examples that are programs, run as somebody would run them. The demo is run by ./demo and ./test."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def environment(home: Path) -> dict[str, str]:
    home.mkdir()
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running example, and its address."""
    command = [sys.executable, str(EXAMPLES / "thread_server.py"), str(tmp_path), "0"]
    with subprocess.Popen(
        command,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        found = re.match(r"(http://127\.0\.0\.1:\d+/) ", process.stdout.readline())
        assert found
        yield process, found[1]
        process.kill()


def post(address: str, text: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, text.encode(), timeout=60) as answer:
        return answer.read().decode()


def test_thread_server(server: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    process, address = server
    with ThreadPoolExecutor() as pool:
        conversations = ["monday", "tuesday"] * 3
        answers = list(pool.map(lambda name: post(address + name, f"pwd; echo {name} > note"), conversations))
    for name, answer in zip(conversations, answers, strict=True):
        assert answer.startswith(f"{tmp_path}/{name}\n")
    assert post(address + "monday", "cat note").startswith("monday\n")
    assert "[nono] " in post(address + "monday", f"cat {tmp_path}/tuesday/note")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        post(address + "..%2Fhome", "pwd")
    process.send_signal(signal.SIGINT)
    assert process.stdout
    assert "monday, tuesday" in process.stdout.read().replace("tuesday, monday", "monday, tuesday")
    assert process.wait(timeout=60) == 0


def test_cli_provider(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / "cli_provider.py")],
        cwd=work,
        env=environment(tmp_path / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert f"$ pwd\n{os.path.realpath(work)}\n[exit code 0]" in result.stdout
    assert "[nono] /etc/passwd: reading is not granted here" in result.stdout
    assert (work / "note.txt").read_text() == "made inside\n"
