"""Paths as agents write them, and the host paths they mean."""

import os
from collections.abc import Iterable

from nono_py import FileTools


def within(path: str, root: str) -> bool:
    """Whether `path` is `root` or lies below it, by whole components. Both absolute and normalised."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def within_any(path: str, roots: Iterable[str]) -> bool:
    """Whether `path` lies in one of `roots`; see `within`."""
    return any(within(path, root) for root in roots)


ARTIFACTS = ("/large_tool_results", "/conversation_history", "/blobs")
"""Where Deep Agents itself writes: long outputs, old messages, media."""


class PathMap:
    """Turns a path that a file tool was given into the host path it means.

    Without `virtual` an absolute path means itself. With it, a path that is not in a granted root
    means the same path below the working directory, and `/` is the working directory. `ARTIFACTS`
    mean directories below `artifacts`, unless such a directory is granted itself.
    """

    def __init__(self, working_dir: str, roots: Iterable[str], *, artifacts: str, virtual: bool) -> None:
        """Keep the real paths of the working directory, the granted roots, and the place for artifacts."""
        self.working_dir = working_dir
        self._roots = tuple(roots)
        self._artifacts = artifacts
        self._virtual = virtual

    @property
    def start(self) -> str:
        """Where a search without a path starts, as agents write it."""
        return "/" if self._virtual else self.working_dir

    def host(self, path: str) -> str:
        """The host path that `path` means.

        Raises:
            ValueError: It is relative or, in a virtual root, contains `..` or a NUL byte.
        """
        if not path.startswith("/"):
            raise ValueError("path must be absolute")
        if path.lstrip("/").startswith(_ARTIFACT_NAMES):
            plain = _normal(path)
            if within_any(plain, ARTIFACTS) and not within_any(plain, self._roots):
                return self._artifacts + plain
        if not self._virtual:
            return path
        if "\0" in path:
            raise ValueError("path must not contain a NUL byte")
        real = FileTools.canonical(path)  # in C++, where it holds no event loop up
        if within_any(real, self._roots):
            return real
        if ".." in path.split("/"):
            raise ValueError("path must not contain '..'")
        plain = _normal(path)
        if within_any(plain, self._roots):  # a link out of the workspace: for the sandbox to refuse
            return plain
        return self.working_dir if plain == "/" else self.working_dir.rstrip("/") + plain

    def entry(self, path: str) -> str:
        """As `host`, for the name itself: a link in a granted root is not resolved to what it points to."""
        host, plain = self.host(path), _normal(path)
        return plain if within_any(plain, self._roots) else _normal(host)


_ARTIFACT_NAMES = tuple(name[1:] for name in ARTIFACTS)


def _normal(path: str) -> str:
    return os.path.normpath("/" + path.lstrip("/"))
