"""A disk that is full, and one that is read-only."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import small_disk

HOW = ("sync", "async")
OLD = {"file": "old content", "filling": "f" * 20}


@pytest.fixture(scope="module", params=HOW)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened on such a disk, mounted where nobody but the program sees it."""
    namespace = small_disk.new_namespace()
    if subprocess.run([*namespace, "true"], capture_output=True).returncode != 0:
        pytest.skip("expected: this user cannot mount anything, not even in a namespace")
    directory = tmp_path_factory.mktemp("disk")
    program = [sys.executable, small_disk.__file__, str(directory), request.param]
    done = subprocess.run([*namespace, *program], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert os.listdir(directory) == []
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize("step", ["write over a file", "write a new file", "edit"])
def test_what_does_not_fit_is_an_error_and_changes_nothing(told: dict[str, Any], step: str) -> None:
    assert told[step]["error"] and "Traceback" not in told[step]["error"]
    assert told[step]["tree"] == OLD


def test_an_upload_that_does_not_fit_is_an_error(told: dict[str, Any]) -> None:
    assert told["upload"]["error"]
    assert {name: told["upload"]["tree"][name] for name in OLD} == OLD
    assert set(told["upload"]["tree"]) <= {*OLD, "upload"}


def test_what_fits_is_written(told: dict[str, Any]) -> None:
    assert told["write what fits"] == {"error": None, "tree": {**OLD, "fits": "small"}}


@pytest.mark.parametrize("step", ["write over a file", "write a new file", "edit", "upload", "delete"])
def test_a_read_only_disk_stays(told: dict[str, Any], step: str) -> None:
    if f"read-only: {step}" not in told:
        pytest.skip("expected: there is no delete before deepagents 0.7")
    assert told[f"read-only: {step}"]["error"]
    assert told[f"read-only: {step}"]["tree"] == OLD


def test_a_read_only_disk_can_be_read(told: dict[str, Any]) -> None:
    assert told["read-only: read"]["error"] is None
