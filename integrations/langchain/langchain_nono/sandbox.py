"""`NonoSandbox`: nono as the backend of a Deep Agent."""

import asyncio
import os
import platform
import uuid
import weakref
from types import TracebackType
from typing import Any, Literal, Self

from deepagents.backends.protocol import ExecuteResponse
from nono_py import (
    AccessMode,
    CapabilitySet,
    QueryContext,
    apply_unlink_overrides,
    load_policy,
    sandboxed_exec,
    sandboxed_exec_async,
)
from nono_py import FileTools as NativeTools

from langchain_nono.environment import Environment, granted_places
from langchain_nono.explanation import Explainer
from langchain_nono.file_tools import FileTools
from langchain_nono.grants import grant_system, grant_toolchains, readable_directories
from langchain_nono.home import PrivateHome
from langchain_nono.offload import Offloading
from langchain_nono.output import combine, ends_of, with_last_line
from langchain_nono.paths import PathMap
from langchain_nono.running import Running, RunsInBackground
from langchain_nono.temporary import PrivateDirectory
from langchain_nono.toolchains import Survey, Toolchain

_PATTERN = frozenset("*?[")


class NonoSandbox(RunsInBackground, Offloading, FileTools):
    """Runs an agent's commands and file tools confined by the kernel to the directories granted here.

    A command sees the directories below, the system's programs and libraries, the interpreters on
    the caller's PATH (`toolchains`), a private HOME and TMPDIR, and a handful of variables of the caller's
    environment. Everything else is refused by the kernel; a sandbox that cannot be enforced refuses
    to start commands. Nothing that a command started outlives it.

    Use it as a context manager, or call `close()`, to end streams and jobs and remove the private directories
    early; otherwise they go with the object. All methods may be used from several threads and tasks at once.
    """

    def __init__(
        self,
        *,
        working_dir: str,
        allow_read: list[str] | None = None,
        allow_write: list[str] | None = None,
        allow_readwrite: list[str] | None = None,
        policy_json: str | None = None,
        policy_groups: list[str] | None = None,
        proxy_config: object | None = None,
        snapshot_session_dir: str | None = None,
        snapshot_tracked_paths: list[str] | None = None,
        snapshot_exclusion: object | None = None,
        snapshot_max_entries: int = 300_000,
        snapshot_max_bytes: int = 2_147_483_648,
        block_network: bool = True,
        timeout: int = 1800,
        max_output_bytes: int = 1_048_576,
        virtual_workspace_root: bool = False,
        inherit_toolchains: bool = True,
        isolation: Literal["auto", "process", "namespaces", "strict"] = "auto",
        max_memory_bytes: int | None = None,
        max_processes: int | None = None,
        deny: list[str] | None = None,
        unprotect: list[str] | None = None,
        allow_unix_sockets: list[str] | None = None,
        stderr: Literal["tag", "merge"] = "tag",
        home: Literal["auto", "private", "caller"] = "auto",
        explain_denials: bool = True,
    ) -> None:
        """Grant and hold; no process is started.

        Args:
            working_dir: Existing directory, read-write, where commands run.
            allow_read: Directories to read and execute in.
            allow_write: Directories to write in without reading.
            allow_readwrite: Directories for both.
            policy_json: A nono policy document; needs `policy_groups`.
            policy_groups: The groups of it to apply.
            proxy_config: Not available yet.
            snapshot_session_dir: Not available yet, like the other `snapshot_` arguments.
            snapshot_tracked_paths: Not available yet.
            snapshot_exclusion: Not available yet.
            snapshot_max_entries: Not available yet.
            snapshot_max_bytes: Not available yet.
            block_network: No network of any kind.
            timeout: Seconds a command may run when the call does not say.
            max_output_bytes: Bound of `ExecuteResponse.output` in UTF-8 bytes.
            virtual_workspace_root: File tools take absolute paths outside the granted directories
                as paths below `working_dir`. Commands see host paths either way.
            inherit_toolchains: Make the interpreters on the caller's PATH readable; see `toolchains`.
            isolation: As in `nono_py.sandboxed_exec`.
            max_memory_bytes: As in `nono_py.sandboxed_exec`, for each command.
            max_processes: As in `nono_py.sandboxed_exec`, for each command.
            deny: Paths and patterns inside the granted directories that stay closed, to commands and file
                tools alike, whether they exist or not; see `nono_py.CapabilitySet.deny_path`.
            unprotect: Names, or `all`, that may be changed although they are protected by default; see
                `nono_py.CapabilitySet.protect`.
            allow_unix_sockets: Unix sockets outside that commands may connect to; a directory means all
                below it. What answers there runs outside the sandbox with rights of its own.
            stderr: `tag` puts what a command wrote to stderr behind its stdout, in a `<stderr>` tag; `merge`
                leaves both together in the order of writing.
            home: HOME of commands: `private`, a directory that goes with the sandbox; `caller`, the
                caller's, which grants nothing of it; `auto`, private unless the caller's is granted for
                reading and writing.
            explain_denials: When a command fails because of the sandbox, its output ends with a line that
                begins with `[nono]` and says what was asked for and what is granted.

        Raises:
            ValueError: Arguments that contradict each other, a malformed pattern, an unknown protected name,
                another `stderr` or `home`, or a file where a directory belongs.
            FileNotFoundError: A granted directory, or that of a granted socket, does not exist.
            NotImplementedError: A proxy or snapshots are asked for.
        """
        _check_timeout(timeout)
        if home not in ("auto", "private", "caller"):
            raise ValueError(f"home must be 'auto', 'private' or 'caller', got {home!r}")
        if policy_groups and policy_json is None:
            raise ValueError("policy_groups requires policy_json")
        if policy_json is not None and not policy_groups:
            raise ValueError("policy_json requires at least one policy group")
        if proxy_config is not None and not block_network:
            raise ValueError("proxy_config requires block_network=True")
        if stderr not in ("tag", "merge"):
            raise ValueError(f"stderr must be 'tag' or 'merge', got {stderr!r}")
        if home not in ("auto", "private", "caller"):
            raise ValueError(f"home must be 'auto', 'private' or 'caller', got {home!r}")
        _refuse_unavailable(
            proxy_config=(proxy_config, None),
            snapshot_session_dir=(snapshot_session_dir, None),
            snapshot_tracked_paths=(snapshot_tracked_paths, None),
            snapshot_exclusion=(snapshot_exclusion, None),
            snapshot_max_entries=(snapshot_max_entries, 300_000),
            snapshot_max_bytes=(snapshot_max_bytes, 2_147_483_648),
        )

        self._id = str(uuid.uuid4())
        self._working_dir = os.path.realpath(working_dir)
        self._timeout = timeout
        self._max_output_bytes = max_output_bytes
        self._options = _given(
            isolation=isolation if isolation != "auto" else None,
            max_memory_bytes=max_memory_bytes,
            max_processes=max_processes,
            stderr="stdout" if stderr == "merge" else None,
        )
        self._caps = CapabilitySet()
        readable, writable = self._grant_asked(working_dir, allow_read, allow_write, allow_readwrite)
        grant_system(self._caps, platform.system())
        if policy_json is not None and policy_groups:
            self._apply_policy(policy_json, policy_groups, readable, writable)
        for path in deny or ():
            self._caps.deny_path(path)
        self._caps.protect()
        for name in unprotect or ():
            self._caps.unprotect(name)
        denied = [path for path in self._caps.denied_paths if not _PATTERN.intersection(path)]
        for path in allow_unix_sockets or ():
            self._caps.allow_unix_socket(path, scope="dir_subtree" if os.path.isdir(path) else "file")
        self._survey = Survey()
        if inherit_toolchains:
            self._survey = grant_toolchains(self._caps, os.environ.get("PATH", ""), self._working_dir, denied)
        if block_network:
            self._caps.block_network()

        callers_home = os.environ.get("HOME", "")
        granted = QueryContext(self._caps)

        def is_granted(path: str, mode: AccessMode) -> bool:
            return granted.query_path(path, mode)["status"] == "allowed"

        has_home = os.path.isabs(callers_home) and is_granted(callers_home, AccessMode.READ_WRITE)
        self._temporary = PrivateDirectory()
        self._artifacts = PrivateDirectory()
        self._home = None if home == "caller" or (home == "auto" and has_home) else PrivateHome()
        self._caps.allow_path(self._artifacts.path, AccessMode.READ_WRITE)
        for directory in filter(None, (self._home, self._temporary)):
            self._caps.allow_path(directory.path, AccessMode.READ_WRITE)
            readable.append(directory.path)
            writable.append(directory.path)
        self._running = Running()
        weakref.finalize(self, self._running.end)
        self._paths = PathMap(
            self._working_dir,
            {*readable, *writable, self._artifacts.path},
            artifacts=self._artifacts.path,
            virtual=virtual_workspace_root,
        )
        self._isolation = isolation
        self._native_tools: NativeTools | None = None
        self._environment = Environment(
            home=self._home.path if self._home else None,
            temporary=self._temporary.path,
            places=granted_places(callers_home, is_granted),
            survey=self._survey,
            readable=readable_directories(self._caps),
        )
        self._explainer: Explainer | None = None
        if explain_denials:
            names = {self._temporary.path: "$TMPDIR"} | ({self._home.path: "$HOME"} if self._home else {})
            self._explainer = Explainer(
                self._caps,
                working_dir=self._working_dir,
                readable=readable,
                writable=writable,
                names=names,
                hides_outside=isolation == "strict",
            )

    @property
    def id(self) -> str:
        """A UUID, another one for each instance."""
        return self._id

    @property
    def capabilities(self) -> CapabilitySet:
        """What commands may do, for `nono_py.QueryContext` and its like; not to be changed."""
        return self._caps

    @property
    def toolchains(self) -> list[Toolchain]:
        """What was granted because a program on the caller's PATH needs it: name, path, reason."""
        return list(self._survey.grants)

    def execute(self, command: str, *, timeout: int | None = None) -> ExecuteResponse:
        """Run a command in bash, in the working directory.

        Args:
            command: Shell text.
            timeout: Seconds until the command and all that it started is killed; None means the
                constructor's.

        Returns:
            Output as `langchain_nono.output.combine` makes it, with `stderr="merge"` as `ends_of` does. The
            exit code is the command's, minus a signal's number, 124 after a timeout (with what was written
            until then), or 126 with the reason when the sandbox could not be set up and the command was not
            started.

        Raises:
            ValueError: `timeout` is not positive, or the command contains a NUL byte or lone surrogates.
            RuntimeError: The sandbox is closed, or the kernel cannot enforce it.
        """
        limit = self._max_output_bytes
        return self._response(command, self._exec(command, timeout, limit), limit)

    async def aexecute(self, command: str, *, timeout: int | None = None) -> ExecuteResponse:
        """Async version of `execute`; cancelling it kills the command's process tree.

        It needs no thread, but to look at files when a failure is to be explained or PATH has changed.
        """
        limit = self._max_output_bytes
        return await self._aresponse(command, await self._aexec(command, timeout, limit), limit)

    def close(self) -> None:
        """End streams, jobs and file tools, remove the private directories. May be called again."""
        self._running.end()
        self._temporary.remove()
        self._artifacts.remove()
        if self._home:
            self._home.remove()
        native, self._native_tools = self._native_tools, None
        if native is not None:
            native.close()

    def _native(self) -> NativeTools:
        self._check_open()
        if self._native_tools is None:  # two threads may make one each: either will do
            self._native_tools = NativeTools(self._caps, isolation=self._isolation)
        return self._native_tools

    def _check_open(self) -> None:
        if not self._temporary.exists:
            raise RuntimeError("the sandbox is closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _grant_asked(
        self,
        working_dir: str,
        allow_read: list[str] | None,
        allow_write: list[str] | None,
        allow_readwrite: list[str] | None,
    ) -> tuple[list[str], list[str]]:
        """Grant what the caller named; returns the real paths to read in and those to write in."""
        readable, writable = [self._working_dir], [self._working_dir]
        self._caps.allow_path(working_dir, AccessMode.READ_WRITE)
        for paths, mode, lists in (
            (allow_read, AccessMode.READ, (readable,)),
            (allow_write, AccessMode.WRITE, (writable,)),
            (allow_readwrite, AccessMode.READ_WRITE, (readable, writable)),
        ):
            for path in paths or ():
                self._caps.allow_path(path, mode)
                for roots in lists:
                    roots.append(os.path.realpath(path))
        return readable, writable

    def _apply_policy(
        self, document: str, groups: list[str], readable: list[str], writable: list[str]
    ) -> None:
        """Add the groups' grants to the set and to both lists, and their denials to the set."""
        resolved = load_policy(document).resolve_groups(groups, self._caps)
        if resolved.needs_unlink_overrides:
            apply_unlink_overrides(self._caps)
        for path in resolved.deny_paths:
            self._caps.deny_path(path)
        for grant in self._caps.fs_capabilities():
            if str(grant.source).startswith("group"):
                if grant.access != AccessMode.WRITE:
                    readable.append(grant.resolved)
                if grant.access != AccessMode.READ:
                    writable.append(grant.resolved)

    def _exec(self, command: str, timeout: int | None, limit: int) -> Any:
        return sandboxed_exec(**self._launch(command, timeout, limit))

    async def _aexec(self, command: str, timeout: int | None, limit: int) -> Any:
        if not self._environment.is_at_hand:
            await asyncio.to_thread(self._environment.pairs)
        return await sandboxed_exec_async(**self._launch(command, timeout, limit))

    def _launch(self, command: str, timeout: int | None, limit: int | None = None) -> dict[str, Any]:
        """The arguments of `sandboxed_exec` for one command, of whose output `limit` bytes are needed."""
        seconds = self._timeout if timeout is None else timeout
        _check_timeout(seconds)
        if "\0" in command:  # a model's mistake: an error that its tools can show, not one that ends the run
            raise ValueError("command contains a NUL byte")
        self._check_open()
        return {
            "caps": self._caps,
            "command": ["/bin/bash", "-c", command],
            "cwd": self._working_dir,
            "timeout_secs": float(seconds),
            "env": self._environment.pairs(),
            "inherit_env": False,
            "max_output_bytes": 2 * (self._max_output_bytes if limit is None else limit),
            **self._options,
        }

    def _response(self, command: str, result: Any, limit: int) -> ExecuteResponse:
        def join(size: int) -> tuple[str, bool]:
            if "stderr" in self._options:
                return ends_of(result.stdout, size)
            return combine(result.stdout, result.stderr, size)

        line = None
        if self._explainer:
            line = self._explainer.explain(command, result.exit_code, result.stdout, result.stderr)
        text, cut = with_last_line(join, line, limit) if line else join(limit)
        return ExecuteResponse(output=text, exit_code=result.exit_code, truncated=cut)


def _check_timeout(seconds: int) -> None:
    if seconds <= 0:
        raise ValueError(f"timeout must be positive, got {seconds}")


def _refuse_unavailable(**arguments: tuple[object, object]) -> None:
    for name, (value, default) in arguments.items():
        if value != default:
            raise NotImplementedError(
                f"{name} is not available in this release of langchain-nono: leave the argument out"
            )


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}
