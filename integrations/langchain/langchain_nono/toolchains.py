"""The interpreters and compilers of the caller, made readable in the sandbox: no more than they need.

For each program the first one on PATH counts, as in a shell. What is granted for it is
its installation prefix; the environment too when it stands in a virtual one; the whole of a
pyenv-like manager, whose shims need it. A prefix has to look like an installation of its language,
must not be a home or another broad directory, and must not be writable or owned by other users: a
link in a workspace leads to an interpreter or to nothing. Stores of credentials are never granted.
"""

import glob
import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from langchain_nono.paths import within, within_any
from langchain_nono.versions import Managed, read_text, selected

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH in the sandbox when none of the caller's directories is readable there."""


class Toolchain(NamedTuple):
    """A grant for reading and executing that nobody asked for by name."""

    name: str
    """The program that it was granted for."""
    path: str
    """The real path of a directory."""
    reason: str
    """Why the program needs it, for people."""


@dataclass(frozen=True)
class Survey:
    """What the programs on a PATH need.

    Attributes:
        grants: In order of discovery, each path once.
        detours: For a PATH entry: the directories with the programs that its links and shims lead to.
    """

    grants: list[Toolchain] = field(default_factory=list)
    detours: dict[str, list[str]] = field(default_factory=dict)

    def child_path(self, search_path: str, readable: list[str]) -> str:
        """`search_path` as it works in the sandbox: in the same order, only what lies in `readable` roots."""
        entries: list[str] = []
        for entry in filter(os.path.isabs, search_path.split(os.pathsep)):
            allowed = within_any(os.path.realpath(entry), readable)
            if not allowed or _is_shims(entry):
                for detour in self.detours.get(entry, []):
                    if within_any(os.path.realpath(detour), readable):
                        entries.append(detour)
            if allowed:
                entries.append(entry)
        return os.pathsep.join(entries) or DEFAULT_PATH


@dataclass(frozen=True)
class _Language:
    programs: tuple[str, ...]
    marks: tuple[str, ...]  # patterns below the prefix; one of them exists in every installation
    managed: Managed


_LANGUAGES = (
    _Language(
        ("python3", "python"),
        ("lib*/python3*/os.py", "lib*/pypy3*/os.py"),
        Managed("PYENV", ".python-version", ("python",)),
    ),
    _Language(
        ("node",),
        ("include/node/node.h", "lib/node_modules/npm"),
        Managed("NODENV", ".node-version", ("nodejs", "node")),
    ),
    _Language(("cargo", "rustc"), ("lib/rustlib",), Managed("RUSTENV", ".rust-version", ("rust",))),
    _Language(("go",), ("src/runtime", "pkg/tool"), Managed("GOENV", ".go-version", ("golang", "go"))),
    _Language(("ruby",), ("lib*/ruby",), Managed("RBENV", ".ruby-version", ("ruby",))),
    _Language(
        ("java", "javac"),
        ("lib/modules", "lib/jvm.cfg", "lib/*/jvm.cfg"),
        Managed("JENV", ".java-version", ("java",)),
    ),
)
# Packages in these depend on each other by absolute path; they are made to be read by everybody.
_STORES = ("/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew")
_BROAD = frozenset((
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/opt",
    "/proc", "/root", "/run", "/srv", "/sys", "/tmp", "/usr", "/var",
))  # fmt: skip


def survey(search_path: str, working_dir: str, readable: list[str]) -> Survey:
    """Find what the programs on `search_path` need to run.

    Args:
        search_path: A PATH; relative entries are ignored.
        working_dir: Where commands will run, for managers that choose a version by directory.
        readable: Real paths of the directories that are readable already, and so need no grant.
    """
    result = Survey()
    entries = [entry for entry in search_path.split(os.pathsep) if os.path.isabs(entry)]
    for language in _LANGUAGES:
        for program in language.programs:
            for entry in entries:
                if not _is_executable(os.path.join(entry, program)):
                    continue
                needed = list(_needs(language, program, entry, working_dir, result.detours))
                for grant in needed:
                    if not within_any(grant.path, [*readable, *(known.path for known in result.grants)]):
                        result.grants.append(grant)
                if needed or within_any(os.path.realpath(os.path.join(entry, program)), readable):
                    break  # otherwise it cannot run inside, and the next one counts
    return result


def _needs(
    language: _Language, program: str, entry: str, working_dir: str, detours: dict[str, list[str]]
) -> Iterator[Toolchain]:
    """The grants for `program` found in the directory `entry`; where it really is goes to `detours`."""
    if _is_shims(entry):
        root = os.path.realpath(os.path.dirname(entry))
        if os.path.isdir(os.path.join(root, "versions")) and _is_safe(root):
            yield Toolchain(program, root, f"version manager of the {program} shim in {entry}")
        homes = selected(entry, language.managed, working_dir)
        executables = [path for home in homes for path in _programs_in(home, program)]
    else:
        executables = [os.path.join(entry, program)]
        environment = os.path.realpath(os.path.dirname(entry))
        if base := _environment_base(environment):
            executables.append(os.path.join(base, program))
            if _is_safe(environment):
                yield Toolchain(program, environment, f"virtual environment of {executables[0]}")

    for executable in filter(_is_executable, executables):
        real = os.path.realpath(executable)
        yield from _installation(language, program, real)
        directory = os.path.dirname(executable if _is_shims(entry) else real)
        detour = detours.setdefault(entry, [])
        if directory not in detour and os.path.exists(os.path.join(directory, program)):
            detour.append(directory)


def _installation(language: _Language, program: str, real: str) -> Iterator[Toolchain]:
    """What the executable at the real path `real` was installed with."""
    if os.path.basename(real) == "rustup":
        yield from _rustup(program, real)
        return
    store = next((store for store in _STORES if within(real, store)), None)
    prefix = store or os.path.dirname(os.path.dirname(real))
    if store or (_has_mark(prefix, language) and _is_safe(prefix)):
        yield Toolchain(program, prefix, f"installation of {real}")


def _rustup(program: str, real: str) -> Iterator[Toolchain]:
    """rustup's proxies and toolchains. The rest of CARGO_HOME may hold the tokens of registries."""
    home = os.environ.get("RUSTUP_HOME") or os.path.expanduser("~/.rustup")
    if _is_safe(os.path.dirname(real)):
        yield Toolchain(program, os.path.dirname(real), f"rustup, which {program} is a name of")
    if os.path.isdir(os.path.join(home, "toolchains")) and _is_safe(os.path.realpath(home)):
        yield Toolchain(program, os.path.realpath(home), "toolchains of rustup")


def _programs_in(home: str, program: str) -> list[str]:
    candidates = (os.path.join(home, "bin", program), os.path.join(home, "go", "bin", program))
    return [path for path in candidates if _is_executable(path)]


def _environment_base(environment: str) -> str | None:
    """The directory with the interpreter that a virtual environment was made from; None if it is not one."""
    for line in read_text(os.path.join(environment, "pyvenv.cfg")).splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home" and os.path.isabs(value.strip()):
            return value.strip()
    return None


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_shims(entry: str) -> bool:
    return os.path.basename(entry.rstrip("/")) == "shims"


def _has_mark(prefix: str, language: _Language) -> bool:
    return any(glob.glob(os.path.join(glob.escape(prefix), mark)) for mark in language.marks)


def is_narrow(path: str) -> bool:
    """Whether the real path `path` is not a home, something above one, or another broad directory."""
    homes = {os.path.realpath(os.path.expanduser("~")), *_password_home()}
    broad = path in _BROAD or os.path.dirname(path) == "/home"
    return not broad and not any(within(home, path) for home in homes)


def _is_safe(path: str) -> bool:
    """Whether the real path `path` is narrow enough to grant, and in nobody else's hands."""
    status = os.stat(path)
    mine = status.st_uid in (0, os.geteuid()) and not status.st_mode & stat.S_IWOTH
    return mine and is_narrow(path)


def _password_home() -> list[str]:
    try:
        return [os.path.realpath(pwd.getpwuid(os.geteuid()).pw_dir)]
    except KeyError:
        return []
