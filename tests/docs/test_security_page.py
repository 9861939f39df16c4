"""docs/security.md says what the table of attacks says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_up_to_date() -> None:
    code = "import security_page; print(security_page.page(), end='')"
    made = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "tests" / "probes", capture_output=True, text=True, check=True
    ).stdout
    assert (ROOT / "docs" / "security.md").read_text() == made, "run python3 tests/probes/security_page.py"
