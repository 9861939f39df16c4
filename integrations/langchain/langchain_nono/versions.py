"""Which installed versions the shims of a version manager would choose, found without running one.

A shim is a program that starts its manager, which starts the program meant; inside a sandbox that
is slow where it works at all. The managers' own files say which installation is meant. Such a file
may lie in the workspace, where an agent writes: it can only choose among what is installed.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Managed:
    """How version managers name one language.

    Attributes:
        env: Of a manager in the manner of pyenv: the prefix of its variables (`PYENV` of `PYENV_VERSION`).
        dotfile: The file by which a directory chooses versions (`.python-version`).
        plugins: What asdf and mise call the language.
    """

    env: str
    dotfile: str
    plugins: tuple[str, ...]


def selected(shims: str, managed: Managed, working_dir: str) -> list[str]:
    """The installations that the shims in directory `shims` would use in `working_dir`, best first.

    Returns:
        Directories that hold a `bin`; empty when the manager is unknown or chooses the system's own.
    """
    root = os.path.dirname(shims)
    if os.path.isdir(os.path.join(root, "versions")):
        store = os.path.join(root, "versions")
        return _existing(store, _pyenv_names(root, managed, working_dir))
    found = []
    for plugin in managed.plugins:
        store = os.path.join(root, "installs", plugin)
        if os.path.isdir(store):
            found += _existing(store, _asdf_names(plugin, working_dir)) or _newest(store)
    return found


def _pyenv_names(root: str, managed: Managed, working_dir: str) -> list[str]:
    """pyenv, rbenv, nodenv, goenv, jenv: variable, then the nearest dotfile, then the global choice."""
    names = os.environ.get(f"{managed.env}_VERSION", "").split(":")
    files = [os.path.join(directory, managed.dotfile) for directory in _upwards(working_dir)]
    for file in [*files, os.path.join(root, "version")]:
        if any(names):
            break
        names = read_text(file).split()
    return names


def _asdf_names(plugin: str, working_dir: str) -> list[str]:
    """asdf and mise: the nearest file that names the plugin, the home's last."""
    home = os.path.expanduser("~")
    for directory in [*_upwards(working_dir), home]:
        for line in read_text(os.path.join(directory, ".tool-versions")).splitlines():
            name, *versions = line.split("#")[0].split() or [""]
            if name == plugin:
                return versions
        for file in ("mise.toml", ".mise.toml", ".config/mise/config.toml"):
            if versions := _mise_versions(read_text(os.path.join(directory, file)), plugin):
                return versions
    return []


def _mise_versions(document: str, plugin: str) -> list[str]:
    try:
        chosen = tomllib.loads(document).get("tools", {}).get(plugin, [])
    except (tomllib.TOMLDecodeError, AttributeError):
        return []
    if isinstance(chosen, dict):
        chosen = chosen.get("version", [])
    chosen = chosen if isinstance(chosen, list) else [chosen]
    return [version for version in chosen if isinstance(version, str)]


def _existing(store: str, names: list[str]) -> list[str]:
    """The directories of `store` that `names` mean: exactly, or as the newest `3.11.x` for `3.11`."""
    found = []
    for name in names:
        if not name or "/" in name or name in (".", ".."):
            continue
        if os.path.isdir(os.path.join(store, name)):
            found.append(os.path.join(store, name))
        else:
            found += _newest(store, name + ".")
    return found


def _newest(store: str, prefix: str = "") -> list[str]:
    names = [entry.name for entry in os.scandir(store) if entry.is_dir() and entry.name.startswith(prefix)]
    newest = max(names, key=_by_number, default=None)
    return [os.path.join(store, newest)] if newest else []


def _by_number(name: str) -> list[str]:
    return [part.zfill(8) for part in re.split(r"([0-9]+)", name)]


def _upwards(directory: str) -> Iterator[str]:
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def read_text(path: str) -> str:
    """The start of a small text file, empty when it cannot be read; never waits for a FIFO."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            return (file.read(64 * 1024) or b"").decode("utf-8", "replace")
    except OSError:
        return ""
