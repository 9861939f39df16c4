from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import Listener, listening


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A directory of this test's own, as its real path."""
    return Path(os.path.realpath(tmp_path))


@pytest.fixture
def tcp() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def other_tcp() -> Iterator[Listener]:
    with listening() as listener:
        yield listener
