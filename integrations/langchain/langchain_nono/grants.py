"""The grants nobody asked for by name: the system's files, and what the caller's toolchains need."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable

from nono_py import AccessMode, CapabilitySet

from langchain_nono import system
from langchain_nono.paths import within_any
from langchain_nono.toolchains import Survey, is_narrow, survey


def readable_directories(caps: CapabilitySet) -> list[str]:
    """Real paths of the directories that may be read and executed in."""
    return [
        grant.resolved
        for grant in caps.fs_capabilities()
        if not grant.is_file and grant.access != AccessMode.WRITE
    ]


def grant_system(caps: CapabilitySet, name: str) -> None:
    """Grant what programs read of the system `name` (a `platform.system()`), and the running Python.

    What is missing is left out: the sandbox is only narrower without it. What already lies in a
    readable directory gets no grant of its own, so that a sandboxed command may replace it there.
    """
    prefixes = [prefix for prefix in (sys.prefix, sys.base_prefix) if is_narrow(os.path.realpath(prefix))]
    for path in (*system.directories(name), *prefixes):
        _allow_unless_covered(caps, caps.allow_path, path)
    for path in system.files(name):
        _allow_unless_covered(caps, caps.allow_file, path)
    with contextlib.suppress(OSError, ValueError):
        caps.allow_file("/dev/null", AccessMode.READ_WRITE)


def _allow_unless_covered(
    caps: CapabilitySet, allow: Callable[[str, AccessMode], None], path: str
) -> None:
    if not within_any(os.path.realpath(path), readable_directories(caps)):
        with contextlib.suppress(OSError, ValueError):
            allow(path, AccessMode.READ)


def grant_toolchains(
    caps: CapabilitySet, search_path: str, working_dir: str, denied: Iterable[str]
) -> Survey:
    """Grant what the programs on `search_path` need, except where a policy denies something.

    Args:
        caps: The set to add to.
        search_path: The caller's PATH.
        working_dir: Where commands will run.
        denied: Paths that the policy denies; what overlaps one is not granted.

    Returns:
        The survey, with the grants that were made.
    """
    found = survey(search_path, working_dir, readable_directories(caps))
    refused = [os.path.realpath(path) for path in denied]
    for grant in list(found.grants):
        if within_any(grant.path, refused) or any(within_any(path, [grant.path]) for path in refused):
            found.grants.remove(grant)
        else:
            caps.allow_path(grant.path, AccessMode.READ)
    return found
