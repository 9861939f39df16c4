#!/usr/bin/env python3
"""A sandbox as the Deep Agents CLI gets it, without the CLI.

With both installed, the CLI's agent works in a sandbox on the current directory:

    pip install langchain-nono deepagents-code      # Python 3.12 or later
    dcode --sandbox nono

Settings, the keywords of `NonoSandbox`, come from ~/.deepagents/config.toml:

    [sandboxes.providers.nono]
    class_path = "langchain_nono.provider:NonoProvider"
    working_dir = "/home/me/project"

    [sandboxes.providers.nono.params]
    working_dir = "/home/me/project"
    allow_read = ["/home/me/data"]

This does what the CLI does: it finds the provider by its entry point, gets a sandbox from it, uses that, and
has it deleted. It needs neither the CLI nor a model.
"""

from __future__ import annotations

import sys
from importlib.metadata import entry_points


def main() -> int:
    (entry,) = entry_points(group="deepagents_code.sandbox_providers", name="nono")
    provider = entry.load()()
    sandbox = provider.get_or_create(timeout=60)
    try:
        for command in ("pwd", "echo made inside > note.txt; cat note.txt", "cat /etc/passwd"):
            result = sandbox.execute(command)
            print(f"$ {command}\n{result.output.strip()}\n[exit code {result.exit_code}]")
    finally:
        provider.delete(sandbox_id=sandbox.id)
    return 0


if __name__ == "__main__":
    sys.exit(main())
