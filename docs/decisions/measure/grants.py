"""Grants that are descriptors: what happens when their path changes, and what the check costs.

For 0001-grants-are-descriptors.md: PYTHON grants.py
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

from nono_py import AccessMode, CapabilitySet, sandboxed_exec


def with_grants(directory: Path, count: int) -> CapabilitySet:
    caps = CapabilitySet()
    caps.allow_path("/usr", AccessMode.READ)
    for number in range(count):
        file = directory / str(number)
        file.write_text("")
        caps.allow_file(file, AccessMode.READ)
    caps.block_network()
    return caps


def time_of(caps: CapabilitySet) -> float:
    start = time.perf_counter()
    assert sandboxed_exec(caps, ["/usr/bin/true"]).exit_code == 0
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        measure(Path(os.path.realpath(directory)))


def measure(directory: Path) -> None:
    (directory / "scratch").mkdir()
    (directory / "private").mkdir()
    caps = with_grants(directory, 1)
    caps.allow_path(directory / "scratch", AccessMode.READ_WRITE)
    (directory / "scratch").rmdir()
    (directory / "scratch").symlink_to("private")
    result = sandboxed_exec(caps, ["/usr/bin/true"])
    print(f"a link in the place of a granted directory: {result.exit_code}, {result.stderr.decode().strip()}")

    caps = with_grants(directory, 1)
    (directory / "new").write_text("")
    (directory / "new").rename(directory / "0")
    result = sandboxed_exec(caps, ["/usr/bin/true"])
    print(f"an atomically replaced file: {result.exit_code}, {result.stderr.decode().strip()}")

    sets = {1: with_grants(directory, 1), 201: with_grants(directory, 201)}
    found: dict[str, list[float]] = {}
    for _ in range(300):
        for count, caps in sets.items():
            # The first command makes the ruleset, since the last one was another set's; the second reuses it.
            for when in ("first", "again"):
                found.setdefault(f"{count:3} file grants, {when}", []).append(time_of(caps))
    for name, times in found.items():
        print(f"{name}: median {statistics.median(times) * 1e6:5.0f} us")


if __name__ == "__main__":
    main()
