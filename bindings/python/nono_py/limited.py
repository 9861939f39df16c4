"""Ceilings on memory and processes, by running the `nono` program as a child.

Nothing is limited in this process: the program does the work, so it has to be installed. Wheels of
this package bring it along.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nono_py._nono_py import AccessMode, CapabilitySet

__all__ = [
    "OOM_EXIT_CODE",
    "RunResult",
    "build_argv",
    "caps_to_flags",
    "find_nono_binary",
    "run",
]

OOM_EXIT_CODE = 137
"""Exit status of a command that was killed for using more memory than it may."""

_DIRECTORY_FLAGS = {
    AccessMode.READ: "--read",
    AccessMode.WRITE: "--write",
    AccessMode.READ_WRITE: "--allow",
}


@dataclass(frozen=True)
class RunResult:
    """How a run ended."""

    argv: list[str]
    """What was executed, the program first."""
    returncode: int
    stdout: str | bytes | None
    """What was captured, if it was."""
    stderr: str | bytes | None

    @property
    def ok(self) -> bool:
        """Did the command succeed?"""
        return self.returncode == 0

    @property
    def oom_killed(self) -> bool:
        """Is the exit status the one of a command killed for its memory use?

        A command may also exit with that status by itself.
        """
        return self.returncode == OOM_EXIT_CODE


def find_nono_binary(explicit: str | os.PathLike[str] | None = None) -> str:
    """The path of the `nono` program: `explicit`, else `$NONO_BIN`, else from PATH.

    Raises:
        FileNotFoundError: There is none, or it cannot be executed.
    """
    wanted = os.fspath(explicit) if explicit is not None else os.environ.get("NONO_BIN", "")
    if wanted or explicit is not None:
        found = shutil.which(wanted)
        if found is None:
            raise FileNotFoundError(f"nono binary not found or not executable: {wanted!r}")
        return found
    found = shutil.which("nono")
    if found is None:
        raise FileNotFoundError(
            "nono binary not found on PATH; install nono, pass nono_bin=, or set NONO_BIN"
        )
    return found


def caps_to_flags(caps: CapabilitySet) -> list[str]:
    """What `caps` grants as flags of `nono run`, in the order of the grants.

    Raises:
        ValueError: Something cannot be said with flags: a port rule, or a read and write grant of a
            directory with a comma in its path.
    """
    if caps.localhost_ports or caps.tcp_connect_ports or caps.bind_ports:
        raise ValueError(
            "cannot pass TCP port rules (allow_localhost_port / allow_tcp_connect_port / "
            "allow_bind_port) via the nono CLI: without them the command would have another network "
            "than was asked for. Remove the port rules, or use sandboxed_exec."
        )
    flags: list[str] = []
    for grant in caps.fs_capabilities():
        flag = _DIRECTORY_FLAGS[grant.access]
        if grant.is_file:
            flag += "-file"
        elif grant.access == AccessMode.READ_WRITE and "," in grant.resolved:
            raise ValueError(
                "cannot grant read+write to a directory whose path contains a comma via the nono "
                f"CLI: {grant.resolved!r}. The --allow flag treats commas as a value separator and "
                "would split the path. Rename the directory, or grant it read and write separately."
            )
        flags += [flag, grant.resolved]
    if caps.is_network_blocked:
        flags.append("--block-net")
    return flags


def build_argv(
    caps: CapabilitySet,
    command: Sequence[str],
    *,
    memory: int | str | None = None,
    max_processes: int | None = None,
    nono_bin: str | os.PathLike[str] | None = None,
) -> list[str]:
    """The argument list that `run` would execute.

    Args:
        caps: What the command may do.
        command: Program and arguments.
        memory: Ceiling for the whole tree: bytes, or a size such as "512M".
        max_processes: Ceiling for processes and threads of the whole tree.
        nono_bin: The `nono` program; see `find_nono_binary`.

    Raises:
        ValueError: The command is empty, a limit is not positive, or `caps` cannot be passed on.
        TypeError: A limit or the command has the wrong type.
        FileNotFoundError: The `nono` program is not there.
    """
    if isinstance(command, (str, bytes)):
        raise TypeError("command must be a sequence of arguments, not a single string")
    if not command:
        raise ValueError("command must contain at least the program to run")
    argv = [find_nono_binary(nono_bin), "run", *caps_to_flags(caps)]
    if memory is not None:
        argv += ["--memory", _memory_text(memory)]
    if max_processes is not None:
        argv += ["--max-processes", _count_text(max_processes)]
    return [*argv, "--", *command]


def run(
    caps: CapabilitySet,
    command: Sequence[str],
    *,
    memory: int | str | None = None,
    max_processes: int | None = None,
    cwd: str | os.PathLike[str] | None = None,
    timeout: float | None = None,
    env: Mapping[str, str] | None = None,
    capture_output: bool = True,
    text: bool = True,
    nono_bin: str | os.PathLike[str] | None = None,
) -> RunResult:
    """Run a command under ceilings for its whole process tree.

    Args:
        caps: What the command may do.
        command: Program and arguments.
        memory: Ceiling for the whole tree: bytes, or a size such as "512M".
        max_processes: Ceiling for processes and threads of the whole tree.
        cwd: Working directory.
        timeout: Seconds.
        env: The whole environment of the `nono` program. None inherits this process's, secrets
            included: pass a mapping to keep them out.
        capture_output: Capture stdout and stderr.
        text: Captured output as str.
        nono_bin: The `nono` program; see `find_nono_binary`.

    Raises:
        subprocess.TimeoutExpired: It took longer than `timeout`; the tree has been killed.
        ValueError, TypeError, FileNotFoundError: As `build_argv`.
    """
    argv = build_argv(caps, command, memory=memory, max_processes=max_processes, nono_bin=nono_bin)
    done = subprocess.run(
        argv,
        cwd=cwd,
        timeout=timeout,
        env=env,
        capture_output=capture_output,
        text=text,
        check=False,
    )
    return RunResult(argv=argv, returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)


def _memory_text(memory: int | str) -> str:
    if isinstance(memory, bool):
        raise TypeError("memory must be an int (bytes) or a size string, not bool")
    if isinstance(memory, int):
        if memory <= 0:
            raise ValueError(f"memory limit must be positive, got {memory}")
        return str(memory)
    if not isinstance(memory, str):
        raise TypeError(f"memory must be an int (bytes) or a size string, not {type(memory).__name__}")
    if not memory.strip():
        raise ValueError("memory limit string cannot be empty")
    return memory.strip()


def _count_text(count: int) -> str:
    if isinstance(count, bool):
        raise TypeError("max_processes must be an int count, not bool")
    if not isinstance(count, int):
        raise TypeError(f"max_processes must be an int count, got {type(count).__name__}")
    if count < 1:
        raise ValueError(f"max_processes must be at least 1, got {count}")
    return str(count)
