"""Every attack of the table, in every setting: a setting is an entry point, a kind of isolation, and
whether there are user namespaces. Root and ordinary users are two runs of this file.

An attack must succeed where there is no sandbox; then it must not succeed in one. Both are judged from
outside. What is known not to be stopped is marked in the table, and is a failure here once it is.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from commands import can_use_namespaces
from no_user_namespaces import Host
from runner import PROBES, Outcome, attack_with, cli, sandbox
from table import ROWS, Attack, Open

IDENTITY = "user" if os.geteuid() else "root"
HAS_NAMESPACES = can_use_namespaces()


class Setting(NamedTuple):
    entry: str
    isolation: str
    user_namespaces: bool

    def __str__(self) -> str:
        return "-".join([self.entry, self.isolation] + ["no_userns"] * (not self.user_namespaces))


# Each attack meets them all with the first of its networks; with the others the first two are enough.
# Without user namespaces, isolation by namespaces is refused: see the test below.
SETTINGS = [
    Setting("sdk", "process", True),
    Setting("cli", "process", False),
    Setting("sdk", "process", False),
    Setting("cli", "process", True),
    Setting("sdk", "namespaces", True),
    Setting("cli", "namespaces", True),
    Setting("sdk", "strict", True),
    Setting("cli", "strict", True),
]


class NotStopped(AssertionError):
    pass


def is_open(how: Open, setting: Setting) -> bool:
    wanted = (how.isolation, how.entry, how.identity)
    here = (setting.isolation, setting.entry, IDENTITY)
    return all(value in (None, present) for value, present in zip(wanted, here, strict=True))


def cases() -> list[object]:
    found = []
    for row in ROWS:
        for attack in row.attacks:
            for network in attack.networks:
                for setting in SETTINGS if network == attack.networks[0] else SETTINGS[:2]:
                    marks = [
                        pytest.mark.xfail(reason=how.reason, raises=NotStopped, strict=True)
                        for how in attack.open
                        if is_open(how, setting)
                    ]
                    name = f"{attack.name}-{attack.stage}-{network}-{setting}"
                    found.append(pytest.param(attack, network, setting, marks=marks, id=name))
    return found


@pytest.mark.parametrize(("attack", "network", "setting"), cases())
def test_attack(
    request: pytest.FixtureRequest, attack: Attack, network: str, setting: Setting, control: Outcome
) -> None:
    must_succeed(attack, control)
    if setting.isolation != "process" and not HAS_NAMESPACES:
        pytest.skip("expected: this host allows no namespaces")
    if setting.user_namespaces:
        outcome = attack_with(attack, network, sandbox(setting.entry, setting.isolation))
    else:
        host: Host = request.getfixturevalue("without_user_namespaces")
        outcome = host.attack(attack, network, setting.entry, setting.isolation)
    if outcome.cannot:
        pytest.skip(f"expected: not here: {outcome.cannot}")
    assert outcome.started, outcome
    assert not outcome.broken, outcome
    if outcome.succeeded:
        raise NotStopped(outcome)


def must_succeed(attack: Attack, control: Outcome) -> None:
    """Without a sandbox. An attack that nobody can make proves nothing."""
    assert not control.broken, control
    if not control.succeeded:
        may_fail = attack.needs != "root" or IDENTITY != "root"
        assert (attack.needs and may_fail) or control.cannot, f"does not work outside either: {control}"
        known = control.exit_code in errno.errorcode
        error = os.strerror(control.exit_code) if known else "no effect"
        why = control.cannot or f"{error}; needs {attack.needs}"
        pytest.skip(f"expected: cannot be done here without a sandbox either: {why}")


@pytest.mark.parametrize("isolation", ["namespaces", "strict"])
@pytest.mark.parametrize("entry", ["sdk", "cli"])
def test_namespaces_are_refused_where_there_are_none(
    without_user_namespaces: Host, entry: str, isolation: str
) -> None:
    attack = next(attack for row in ROWS for attack in row.attacks)
    outcome = without_user_namespaces.attack(attack, "blocked", entry, isolation)
    if IDENTITY == "root":  # has CAP_SYS_ADMIN over its own namespaces, and needs no other
        assert outcome.started
        assert not outcome.succeeded
    else:
        assert not outcome.started
        assert outcome.exit_code == 126
        assert "isolation by namespaces is not possible here" in outcome.errors


# --- rows that are about the sandbox itself ------------------------------------------------------

LAYERS = """
import os, sys
import nono_py
sys.path.insert(0, sys.argv[1])
from calls import call, libc
libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
EXECUTE = (1).to_bytes(8, "little")
for _ in range(16):
    ruleset = call(444, EXECUTE, 8, 0)
    rule = EXECUTE + os.open("/", os.O_PATH).to_bytes(4, "little")
    call(445, ruleset, 1, rule, 0)
    call(446, ruleset, 0)
caps = nono_py.CapabilitySet()
caps.allow_path("/usr", nono_py.AccessMode.READ)
result = nono_py.sandboxed_exec(caps, ["/usr/bin/echo", "started"], cwd="/")
print(result.exit_code, result.stdout, result.stderr)
"""


def test_no_layer_left() -> None:
    """Row 74: a sandbox within as many as the kernel has room for is refused, and runs nothing."""
    command = [sys.executable, "-c", LAYERS, str(PROBES)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"126 b''"), done.stdout
    assert b"started" not in done.stdout


TEMPORARY = """
exec 9<"$1"  # it may lie in one of them
for place in /tmp /var/tmp /dev/shm; do mount -t tmpfs none $place || exit 77; done
for i in $(seq 100); do
  /proc/self/fd/9 run --isolation process --block-net -- /usr/bin/true || exit
  /proc/self/fd/9 run --isolation "$2" --block-net --timeout 0.001 -- /usr/bin/sleep 9; test $? = 124 || exit
done
find /tmp /var/tmp /dev/shm -mindepth 1
"""


def test_nothing_is_left_in_temporary_directories() -> None:
    """Row 81. Directories of its own, so that nobody else's files are counted."""
    prefix = ["unshare", "--mount"] if IDENTITY == "root" else ["unshare", "--user", "--map-root-user", "--mount"]
    isolation = "namespaces" if HAS_NAMESPACES else "process"
    done = subprocess.run(
        [*prefix, "/bin/sh", "-c", TEMPORARY, "-", cli(), isolation],
        capture_output=True,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        cwd="/",
        timeout=100,
        check=False,
    )
    if done.returncode == 77 or b"unshare failed" in done.stderr:
        pytest.skip(f"expected: no mounts of one's own here: {done.stderr.decode()}")
    assert done.returncode == 0, done
    assert done.stdout == b""


def test_every_attack_is_in_the_table() -> None:
    named = {attack.name for row in ROWS for attack in row.attacks}
    assert named == {path.stem for path in (PROBES / "attacks").glob("*.py")}
    assert [row.number for row in ROWS] == list(range(1, 84))
    for row in ROWS:
        reasons = [row.waits_for, row.out_of_scope, row.tested_in]
        assert bool(row.attacks) + sum(map(bool, reasons)) == 1, row
        assert all(attack.name.startswith(f"row{row.number:02}_") for attack in row.attacks)
