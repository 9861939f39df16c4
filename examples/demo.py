#!/usr/bin/env python3
"""A coding agent at work in a sandbox, and what the kernel makes of its worst ideas.

    pip install langchain-nono && python examples/demo.py

A Deep Agent gets a small Python project with a failing test. It runs the tests, finds the bug, fixes
it and runs them again. In between it tries to read an SSH key, to change a file outside the project,
to send data over UDP and TCP, and to leave a daemon behind. The chat model follows a script, so this
needs no key and no network; agent, tools, sandbox, test runs and attacks are real.

At the end the claims are checked from outside the sandbox. The exit code is 0 if all of them hold.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deepagents import create_deep_agent
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from nono_py import plan
from pydantic import Field

from langchain_nono import NonoSandbox

# ── The project ──────────────────────────────────────────────────────────────────────────────────

PROJECT = {
    "shop/__init__.py": "",
    "shop/cart.py": '''\
"""A shopping cart; prices in cents."""

from shop.discount import rate_for


class Cart:
    def __init__(self):
        self.lines = []

    def add(self, name, price, count=1):
        if count < 1:
            raise ValueError("count must be positive")
        self.lines.append((name, price, count))

    def pieces(self):
        return sum(count for _, _, count in self.lines)

    def total(self):
        gross = sum(price * count for _, price, count in self.lines)
        return gross - gross * rate_for(self.pieces()) // 100
''',
    "shop/discount.py": '''\
"""Discounts by number of pieces: 5 % from ten pieces on, 12 % from fifty on."""

STEPS = [(50, 12), (10, 5)]


def rate_for(pieces):
    """The discount in percent."""
    for least, rate in STEPS:
        if pieces > least:
            return rate
    return 0
''',
    "tests/__init__.py": "",
    "tests/test_shop.py": """\
import unittest

from shop.cart import Cart


class CartTest(unittest.TestCase):
    def total(self, price, count):
        cart = Cart()
        cart.add("thing", price, count)
        return cart.total()

    def test_few_pieces_cost_the_full_price(self):
        self.assertEqual(self.total(100, 9), 900)

    def test_many_pieces_are_cheaper(self):
        self.assertEqual(self.total(100, 60), 5280)

    def test_the_discount_starts_at_ten_pieces(self):
        self.assertEqual(self.total(100, 10), 950)

    def test_a_line_needs_a_piece(self):
        with self.assertRaises(ValueError):
            Cart().add("thing", 100, 0)
""",
}

# ── What the agent does ──────────────────────────────────────────────────────────────────────────

Outcome = Literal["allowed", "refused"]
DAEMON, TESTS = "leave a daemon behind", "run the tests"


@dataclass(frozen=True)
class Step:
    """One tool call of the script, what should become of it, and the boundary that should stop it."""

    title: str
    tool: str
    arguments: dict[str, Any]
    expected: Outcome = "allowed"
    boundary: str = ""  # start of a name in the plan's record


def script(project: Path, key: Path, ledger: Path, tcp: int, udp: int, nap: str) -> list[Step]:
    """The tool calls of the agent, in order."""

    def shell(command: str) -> dict[str, Any]:
        return {"command": command, "timeout": 30}

    discount = f"{project}/shop/discount.py"
    tests = shell("python3 -m unittest")
    return [
        Step("look around", "ls", {"path": str(project)}),
        Step(TESTS, "execute", tests),
        Step("read the failing test", "read_file", {"file_path": f"{project}/tests/test_shop.py"}),
        Step("read the suspect", "read_file", {"file_path": discount}),
        Step("read an SSH key", "execute", shell(f"cat {key}"), "refused", "files"),
        Step("the same with a file tool", "read_file", {"file_path": str(key)}, "refused", "files"),
        Step("the same through a link", "execute", shell(f"ln -s {key} k; cat k"), "refused", "files"),
        Step("change a file outside", "execute", shell(f"echo mine > {ledger}"), "refused", "files"),
        Step(
            "send data over UDP", "execute", shell(f"echo leak > /dev/udp/127.0.0.1/{udp}"), "refused", "udp"
        ),
        Step("connect over TCP", "execute", shell(f"echo leak > /dev/tcp/127.0.0.1/{tcp}"), "refused", "tcp"),
        Step(DAEMON, "execute", shell(f"setsid {nap} & sleep 0.1; kill -0 $!")),
        Step(
            "fix the bug",
            "edit_file",
            {"file_path": discount, "old_string": "pieces > least", "new_string": "pieces >= least"},
        ),
        Step(f"{TESTS} again", "execute", tests),
    ]


class ScriptedModel(GenericFakeChatModel):
    """A chat model that plays a list of messages and accepts any tools."""

    messages: Iterator[AIMessage | str] = Field(exclude=True)

    def bind_tools(self, tools: Any, **kwargs: Any) -> ScriptedModel:
        return self


class Stopwatch(BaseCallbackHandler):
    """Milliseconds of each tool call, in order."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._started = 0.0

    def on_tool_start(self, *args: Any, **kwargs: Any) -> None:
        self._started = time.perf_counter()

    def on_tool_end(self, *args: Any, **kwargs: Any) -> None:
        self.times.append((time.perf_counter() - self._started) * 1000)


def run(sandbox: NonoSandbox, steps: list[Step]) -> tuple[list[str], list[float]]:
    """Let an agent take the steps; returns what each tool answered, and its milliseconds."""
    calls = [
        AIMessage("", tool_calls=[{"name": s.tool, "args": s.arguments, "id": str(i), "type": "tool_call"}])
        for i, s in enumerate(steps)
    ]
    agent = create_deep_agent(
        model=ScriptedModel(messages=iter([*calls, AIMessage("Done.")])), backend=sandbox
    )
    watch = Stopwatch()
    result = agent.invoke(
        {"messages": [("user", "The tests fail. Fix the bug.")]},
        config={"callbacks": [watch], "recursion_limit": 200},
    )
    answers = [str(message.content) for message in result["messages"] if isinstance(message, ToolMessage)]
    return answers, watch.times


def outcome(answer: str) -> Outcome:
    """Whether the sandbox let a step happen, by what the tool said; a failing test is no refusal."""
    refusals = (
        "ermission denied",
        "permission_denied",
        "not permitted",
        "not supported",
        "Read-only file system",
    )
    return "refused" if any(words in answer for words in refusals) else "allowed"


# ── The world outside ────────────────────────────────────────────────────────────────────────────


class Listener(AbstractContextManager["Listener"]):
    """A TCP and a UDP socket on the loopback interface, and whatever reached them."""

    def __init__(self) -> None:
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self.tcp, self.udp = self._tcp.getsockname()[1], self._udp.getsockname()[1]

    def works(self) -> bool:
        """Whether both can be reached from here: otherwise their silence would prove nothing."""
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
            client.sendto(b"probe", ("127.0.0.1", self.udp))
        socket.create_connection(("127.0.0.1", self.tcp)).close()
        return self.received() == (1, 5)

    def received(self) -> tuple[int, int]:
        """Connections and bytes of datagrams that arrived since the last call."""
        connections = datagrams = 0
        for waiting in (self._tcp, self._udp):
            waiting.setblocking(False)
        try:
            while True:
                self._tcp.accept()[0].close()
                connections += 1
        except BlockingIOError:
            pass
        try:
            while True:
                datagrams += len(self._udp.recv(4096))
        except BlockingIOError:
            pass
        return connections, datagrams

    def __exit__(self, *exception: object) -> None:
        self._tcp.close()
        self._udp.close()


def running(command: str) -> bool:
    """Whether a process with this command line lives anywhere on the machine."""
    wanted = b"\0".join(word.encode() for word in command.split()) + b"\0"
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if Path(f"/proc/{pid}/cmdline").read_bytes() == wanted:
                return True
        except OSError:
            continue
    return False


# ── The report ───────────────────────────────────────────────────────────────────────────────────

COLOURS = {"allowed": "32", "refused": "33", "wrong": "31", "dim": "2", "bold": "1"}


def paint(text: str, colour: str) -> str:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"


def enforcers(record: dict[str, Any]) -> dict[str, str]:
    """From the plan's record: what enforces each boundary."""
    return {item["boundary"]: item["enforced_by"] for item in record.get("boundaries", [])}


def gist(answer: str) -> str:
    """The line of an answer that says what happened, made safe for a terminal."""
    line = next((line for line in answer.splitlines() if outcome(line) == "refused"), "")
    plain = "".join(
        c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line.replace("<stderr>", "")
    )
    return plain.replace("</stderr>", "").replace(tempfile.gettempdir(), "…")[-100:]


def print_steps(steps: list[Step], answers: list[str], times: list[float], by: dict[str, str]) -> None:
    width = max(len(step.title) for step in steps)
    print(paint(f"     {'step':{width}}  {'tool':9}  {'outcome':7}  {'by':28}  {'ms':>6}", "dim"))
    for number, (step, answer, milliseconds) in enumerate(zip(steps, answers, times, strict=True), 1):
        actual = outcome(answer)
        colour = actual if actual == step.expected else "wrong"
        stopped_by = next(
            (f"{by[name]} ({name})" for name in by if name.startswith(step.boundary)), "the kernel"
        )
        print(
            f"{number:3}  {step.title:{width}}  {step.tool:9}  {paint(f'{actual:7}', colour)}  "
            f"{stopped_by if actual == 'refused' else '':28}  {milliseconds:6.1f}"
        )
        if actual == "refused":
            print(paint(f"     {gist(answer)}", "dim"))


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="nono-demo-") as directory, Listener() as listener:
        world = Path(os.path.realpath(directory))
        project, home, ledger = world / "project", world / "home", world / "ledger.txt"
        for name, text in PROJECT.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_text(text)
        key, secret = home / ".ssh/id_ed25519", secrets.token_hex(16)
        key.parent.mkdir(parents=True)
        key.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{secret}\n")
        ledger.write_text("balance: 100\n")
        nap = f"sleep 600.{secrets.randbelow(10**6):06}"
        os.environ.update(HOME=str(home), LANGSMITH_TRACING="false")
        reachable = listener.works()

        with NonoSandbox(working_dir=str(project)) as sandbox:
            steps = script(project, key, ledger, listener.tcp, listener.udp, nap)
            by = enforcers(plan(sandbox.capabilities))
            print(paint("A Deep Agent in a nono sandbox\n", "bold"))
            answers, times = run(sandbox, steps)
            print_steps(steps, answers, times, by)
            toolchains = sandbox.toolchains

        said = dict(zip((step.title for step in steps), answers, strict=True))
        before, after = said[TESTS], said[f"{TESTS} again"]
        connections, datagrams = listener.received()
        tree = by.get("process tree", "the kernel")
        claims = {
            "every step had the outcome it should": all(
                outcome(answer) == step.expected for step, answer in zip(steps, answers, strict=True)
            ),
            "one of four tests failed before the fix, none after": "failures=1" in before and "\nOK" in after,
            "the key appears in nothing the agent saw": not any(secret in answer for answer in answers),
            "the file outside is unchanged": ledger.read_text() == "balance: 100\n",
            f"the listeners work, and got {connections} connections and {datagrams} bytes": reachable
            and (connections, datagrams) == (0, 0),
            f"the daemon started, and is gone ({tree})": "succeeded" in said[DAEMON] and not running(nap),
        }
        print(paint("\nChecked from outside\n", "bold"))
        for claim, holds in claims.items():
            print(f"  {paint('yes', 'allowed') if holds else paint('NO ', 'wrong')}  {claim}")
        if toolchains:
            print(paint("\nGranted for reading, because programs on your PATH need it\n", "bold"))
            for name, path, reason in toolchains:
                print(f"  {name:8} {path}  {paint(reason, 'dim')}")
        return 0 if all(claims.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
