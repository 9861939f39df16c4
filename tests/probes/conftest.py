from __future__ import annotations

import compileall
from collections.abc import Iterator

import pytest

from no_user_namespaces import Host
from runner import PROBES, NoSandbox, Outcome, attack_with
from table import Attack

Controls = dict[tuple[str, str], Outcome]


@pytest.fixture(scope="session")
def controls() -> Controls:
    """What each attack did where nothing stops it."""
    # Each is started several times, and in a sandbox it can keep nothing of what it has compiled.
    compileall.compile_dir(PROBES, quiet=2)
    return {}


@pytest.fixture
def control(attack: Attack, controls: Controls) -> Outcome:
    key = (attack.name, attack.stage)
    if key not in controls:
        controls[key] = attack_with(attack, "open", NoSandbox())
    return controls[key]


@pytest.fixture(scope="session")
def without_user_namespaces() -> Iterator[Host]:
    host = Host()
    try:
        if why := host.why_not():
            pytest.skip(f"expected: user namespaces cannot be turned off for one process here: {why}")
        yield host
    finally:
        host.end()
