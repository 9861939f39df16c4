"""Writes docs/security.md from the table of attacks: python3 tests/probes/security_page.py

tests/docs/test_security_page.py says when that has to be done again.
"""

from __future__ import annotations

from pathlib import Path

from table import ROWS, Attack, Row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"

TOP = """\
# Security

This page is made by [security_page.py](../tests/probes/security_page.py) from the table that the tests run:
[table.py](../tests/probes/table.py). Do not edit it.

## Who is trusted

Trusted: the kernel, the process that asks for a sandbox (the *host*), its user, and the paths, limits and policy that it
names. Not trusted: the command and everything that it starts, writes, sends, prints, or leaves in the workspace. The wall
between the two is Landlock, seccomp, a supervisor, rlimits and, where asked for or needed, namespaces; the plan
(`nono run --dry-run --json`, `nono_py.plan`) says for each boundary what holds it on this kernel. The keeper processes and
the supervisor's threads run in the host's memory and belong to the trusted side. So do those of the file tools
(`nono_py.FileTools`, `NonoSandbox.read` and the like), to which an agent gives paths, patterns and texts: Landlock holds them to
the command's grants, `/proc` is closed to them, and [fuzz/files_fuzz.cc](../fuzz/files_fuzz.cc) feeds what reads those texts.

What is granted is granted: a command may do anything to it. Read what it has changed in a workspace before you, an editor or git
run it: [README](../README.md#what-is-not) says what else is outside the wall.

## Reporting

Please report a way out in private, as a security advisory of the repository, not as an issue. A program that shows it, in
the form of one of the probes below, is the best report; it becomes a test with the correction.

## The attacks

Each row has programs in [attacks/](../tests/probes/attacks) that are first run without a sandbox, where they have to succeed, and
then in one: as root and as an ordinary user, by SDK and by CLI, with each kind of isolation (process, namespaces, strict), and
with process also where there are no user namespaces. There the other two are refused to an ordinary user, which is tested, too.
What counts is what the kernel did, seen from outside. [test_mutations.py](../tests/probes/test_mutations.py) takes single rules
out of the plan and expects the probe of that row to succeed. **Open** names the settings in which an attack is not stopped.

| | attack | stopped by | then | tried by |
|---|---|---|---|---|
"""


def where(attack: Attack) -> list[str]:
    found = []
    for one in attack.open:
        scope = ", ".join(filter(None, [one.isolation, one.entry, one.identity])) or "everywhere"
        found.append(f"{scope}: {one.reason}")
    return found


def tried_by(row: Row) -> str:
    prefix = f"row{row.number:02}_"
    names = list(dict.fromkeys(attack.name.removeprefix(prefix) for attack in row.attacks))
    return ", ".join(names) if names else row.tested_in


def line(row: Row) -> str:
    still_open: dict[str, list[str]] = {}
    for attack in row.attacks:
        for text in where(attack):
            still_open.setdefault(text, []).append(attack.name.removeprefix(f"row{row.number:02}_"))
    stopped = row.stopped_by
    for text, names in still_open.items():
        some = "" if len(names) == len(row.attacks) else f" ({', '.join(dict.fromkeys(names))})"
        stopped += f". **Open**, {text}{some}"
    return f"| {row.number} | {row.title} | {stopped} | {row.expected} | {tried_by(row)} |"


def page() -> str:
    tried = [row for row in ROWS if row.attacks or row.tested_in]
    waiting: dict[str, list[Row]] = {}
    for row in ROWS:
        if row.waits_for:
            waiting.setdefault(row.waits_for, []).append(row)
    text = TOP + "\n".join(map(line, tried)) + "\n\n## Not built yet\n\n"
    for what, rows in sorted(waiting.items()):
        text += f"- {what}: " + "; ".join(f"{row.title} ({row.number})" for row in rows) + "\n"
    text += "\n## Not tried\n\n"
    for row in ROWS:
        if row.out_of_scope:
            text += f"- {row.title} ({row.number}): {row.out_of_scope}\n"
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
