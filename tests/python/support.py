"""What the tests share: see commands.py, and marks for tests that need something."""

from __future__ import annotations

import os

import pytest

from commands import *  # noqa: F403
from commands import can_supervise, can_use_namespaces

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="expected: needs root")
needs_user = pytest.mark.skipif(os.geteuid() == 0, reason="expected: needs an ordinary user")


def needs_namespaces() -> None:
    if not can_use_namespaces():
        pytest.skip("expected: this host allows no namespaces")


def needs_supervisor() -> None:
    if not can_supervise():
        pytest.skip("expected: this host allows no supervisor")
