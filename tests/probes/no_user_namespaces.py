"""A host process in which there are no user namespaces, and the tests' end of it.

As a program it is that host: it answers requests, one JSON object a line.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from calls import CLONE_NEWUSER, call
from runner import Outcome, attack_with, sandbox
from table import ROWS, Attack

ATTACKS = {(attack.name, attack.stage): attack for row in ROWS for attack in row.attacks}


class Host:
    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def why_not(self) -> str:
        """Nothing if it is ready."""
        assert self.process.stdout is not None
        if self.process.stdout.readline() == "ready\n":
            return ""
        return self.process.communicate()[1].strip().rpartition("\n")[2] or "no reason given"

    def attack(self, attack: Attack, network: str, entry: str, isolation: str) -> Outcome:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"name": attack.name, "stage": attack.stage, "network": network, "entry": entry}
        self.process.stdin.write(json.dumps({**request, "isolation": isolation}) + "\n")
        self.process.stdin.flush()
        return Outcome(**json.loads(self.process.stdout.readline()))

    def end(self) -> None:
        if not self.process.stdin.closed:  # type: ignore[union-attr]
            self.process.communicate()
        self.process.wait()



def enter_user_namespace_without_more() -> None:
    """Returns in a child that is the same user and cannot make user namespaces; the parent waits for it.

    Root stays root in there: it has capabilities over its own namespace only.
    """
    ready, ready_w = os.pipe()
    mapped, mapped_w = os.pipe()
    child = os.fork()
    if child:
        os.close(ready_w)
        os.read(ready, 1)
        root = os.geteuid() == 0
        with contextlib.suppress(OSError):
            Path(f"/proc/{child}/setgroups").write_text("allow" if root else "deny")
        for name, own in (("uid_map", os.geteuid()), ("gid_map", os.getegid())):
            Path(f"/proc/{child}/{name}").write_text("0 0 4294967295" if root else f"{own} {own} 1")
        os.write(mapped_w, b"x")
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os.close(mapped_w)
    call("unshare", CLONE_NEWUSER)
    os.write(ready_w, b"x")
    if not os.read(mapped, 1):
        os._exit(1)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    if os.geteuid() != 0:
        nothing = bytes(24)
        version = (0x20080522).to_bytes(4, "little") + bytes(4)
        if ctypes.CDLL(None).capset(version, nothing) != 0:
            os._exit(1)
        ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: giving up capabilities has cleared it
    for fd in (ready, ready_w, mapped):
        os.close(fd)


def serve() -> None:
    enter_user_namespace_without_more()
    with contextlib.suppress(OSError):
        call("unshare", CLONE_NEWUSER)
        sys.exit("user namespaces are still there")
    print("ready", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        attack = ATTACKS[request["name"], request["stage"]]
        outcome = attack_with(attack, request["network"], sandbox(request["entry"], request["isolation"]))
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    serve()
