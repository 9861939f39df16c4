"""The native part of nono_py. Import names from `nono_py`; only the types are found here alone.

Every parameter may be given by position or by keyword unless it stands after `*`. Paths, arguments
and environment variables may be `str` or `os.PathLike`; names that are not UTF-8 go in and come out
by the rules of `os.fsencode` and `os.fsdecode`. Integers out of range raise `OverflowError`.

Exceptions for what the sandbox core refuses carry `diagnostic_code: str`, and `remediation: dict`
when there is one to name; on Python 3.11 and later a note says what to change.
"""

import os
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, TypedDict, final

from typing_extensions import Self, Unpack

_Path: TypeAlias = str | os.PathLike[str] | os.PathLike[bytes]
_Isolation: TypeAlias = Literal["auto", "process", "namespaces", "strict"]
_StandardError: TypeAlias = Literal["pipe", "stdout"]
Chunk: TypeAlias = tuple[Literal["stdout", "stderr"], bytes]
"""The name of a stream and what it brought; never empty."""

class _HasFileno(Protocol):
    def fileno(self) -> int: ...

StandardInput: TypeAlias = bytes | bytearray | memoryview | int | _HasFileno

class _ExecOptions(TypedDict, total=False):
    """The parameters of `sandboxed_exec` but the first two."""

    cwd: _Path | None
    timeout_secs: float | None
    env: Sequence[tuple[str, str]] | None
    inherit_env: bool
    max_processes: int | None
    max_cpu_seconds: int | None
    max_file_size_bytes: int | None
    max_open_files: int | None
    uid: int | None
    gid: int | None
    enforcement_mode: str
    stdin: StandardInput | None
    stderr: _StandardError
    max_output_bytes: int | None
    max_memory_bytes: int | None
    isolation: _Isolation

class QueryResultAllowed(TypedDict, total=False):
    """An answer of QueryContext: yes."""

    status: Literal["allowed"]
    reason: Literal["granted_path", "network_allowed"]
    granted_path: str
    access: str
    beats_denial: str
    """The denial that does not hold here, for the grant lies inside it."""

class QueryResultDenied(TypedDict, total=False):
    """An answer of QueryContext: no."""

    status: Literal["denied"]
    reason: Literal["path_not_granted", "insufficient_access", "denied_path", "network_blocked"]
    granted: str
    requested: str
    denied_path: str
    """The path or pattern that was denied."""
    protected_by: str
    """The protected name that `denied_path` belongs to; see `CapabilitySet.protect`."""
    tcp_connect_ports: list[int]
    bind_ports: list[int]

QueryResult: TypeAlias = QueryResultAllowed | QueryResultDenied

class ResourceUsage(TypedDict):
    """What a command, and the children it waited for, used."""

    user_seconds: float
    system_seconds: float
    max_rss_bytes: int | None
    """Largest resident set of one process. None when it stayed below this process's own, which the
    kernel does not tell apart."""
    minor_faults: int
    major_faults: int
    blocks_read: int
    """In units of 512 bytes."""
    blocks_written: int
    voluntary_switches: int
    involuntary_switches: int

class Denial(TypedDict):
    """One refusal that is certain."""

    path: str
    access: Literal["Read"]
    operation: Literal["execute"]
    reason: Literal["path_not_granted", "insufficient_access", "denied_path"]

@final
class AccessMode:
    """What a grant allows. Hashable; equal by value, never equal to an int; `int()` gives 0, 1, 2."""

    READ: ClassVar[AccessMode]
    """Read files, list directories, execute."""
    WRITE: ClassVar[AccessMode]
    """Write, create, rename and remove."""
    READ_WRITE: ClassVar[AccessMode]
    def __int__(self) -> int: ...

@final
class CapabilitySource:
    """Who asked for a grant. `str()` gives `user`, `group:NAME`, `system` or `profile`."""

    @staticmethod
    def user() -> CapabilitySource: ...
    @staticmethod
    def group(name: str) -> CapabilitySource: ...
    @staticmethod
    def system() -> CapabilitySource: ...

@final
class FsCapability:
    """One granted file or directory, or what a pattern matches below one."""

    @property
    def original(self) -> str:
        """The path as it was given."""
    @property
    def resolved(self) -> str:
        """The canonical absolute path it named when it was granted; of a pattern the directory it begins with."""
    @property
    def access(self) -> AccessMode: ...
    @property
    def is_file(self) -> bool:
        """Anything but a directory."""
    @property
    def pattern(self) -> str | None:
        """What the granted names below `resolved` match; None: all are granted."""
    @property
    def source(self) -> CapabilitySource: ...

@final
class UnixSocketCapability:
    """One granted Unix socket, or those in one directory."""

    @property
    def original(self) -> str:
        """The path as it was given."""
    @property
    def resolved(self) -> str:
        """The canonical absolute path. It is what counts, whatever has that name."""
    @property
    def scope(self) -> Literal["file", "dir_children", "dir_subtree"]: ...
    @property
    def mode(self) -> Literal["connect", "connect+bind"]: ...

@final
class CapabilitySet:
    """What a sandbox is granted. Starts with no files and an open network.

    A grant holds the file or directory open from the moment it is given: what its path names later
    does not matter, and a command is refused if it names something else by then. Calls that take a
    set copy it; it may be changed while a command runs.
    """

    def __init__(self) -> None: ...
    def allow_path(self, path: _Path, mode: AccessMode) -> None:
        """Grant a directory and everything below it.

        Raises:
            FileNotFoundError: There is nothing at `path`.
            ValueError: It is no directory.
            OSError: The path cannot be resolved.
        """
    def allow_file(self, path: _Path, mode: AccessMode) -> None:
        """Grant one file, device, socket or FIFO.

        Raises:
            FileNotFoundError: There is nothing at `path`.
            ValueError: It is a directory.
            OSError: The path cannot be resolved.
        """
    def allow_glob(self, pattern: _Path, mode: AccessMode) -> None:
        """Grant what a pattern matches, and all below it, also what is made later.

        `/data/**/*.csv` is about every such file below `/data`, `src/*/tests` about those directories and all in
        them. Wildcards are those of `deny_path`, but the case of letters counts, and the pattern has to begin with
        a directory that exists. Directories on the way can be listed. Nothing that only a pattern grants is
        executed. Enforced by a supervisor, which opens each file for the command: where there can be none, as with
        `apply` and `uid`, commands are refused.

        Raises:
            FileNotFoundError: There is no such directory.
            ValueError: The pattern is malformed, or begins with no directory.
            OSError: The directory cannot be resolved.
        """
    def deny_path(self, path: _Path) -> None:
        """Close a path, or what a pattern matches, and all below it, although a grant covers it.

        It can be neither read nor changed, nor made where it does not exist. Text with `*`, `?` or `[` is a
        pattern: `**/.env` anywhere, `*.pem` in the current directory, `/ws/**/*.pem` below `/ws`. `**` is any
        number of directories; the others mean what they mean in a shell, also for a leading dot, and a
        backslash is an ordinary character. The case of ASCII letters does not count.

        A grant strictly inside what is denied beats it there; where a pattern denies, a grant of the very path
        does too. Enforced by a mount view for paths that exist under one name and have no grant inside (such
        commands run with `isolation="namespaces"` where that is possible), else by a supervisor, which opens
        files for the command but does not stop it from executing them. Where neither is possible, as with
        `apply` and `uid`, commands are refused. A denial that no grant covers costs nothing.

        Raises:
            OSError: The path cannot be resolved.
            ValueError: The pattern is malformed.
        """
    def protect(self, names: Sequence[str] | None = None) -> None:
        """Let files be read but not made, written, moved, linked or removed that somebody outside trusts.

        What an agent writes there would run later, outside the sandbox: git's hooks and config, editors' tasks,
        agents' settings, shells' start files. A new set protects nothing; `NonoSandbox` and `nono run` protect
        all. Takes a supervisor when a directory may be written to, so not with `apply` or `uid`.

        Args:
            names: Of `git`, `direnv`, `editors`, `agents`, `shell`, `login`, `packages`, `venv`, or `all`; None is
                all. A repository or virtual environment that the command itself makes is not protected from it.

        Raises:
            ValueError: A name is unknown. Nothing has changed then.
        """
    def unprotect(self, name: str) -> None:
        """Let one name of `protect`, or `all`, be changed where a grant allows it."""
    @property
    def protected_names(self) -> list[str]:
        """What `protect` has been asked for."""
    @property
    def denied_paths(self) -> list[str]:
        """What was denied, in the order given: paths canonical, patterns as `**/.env` or `/ws/**/*.pem`."""
    def allow_unix_socket(
        self,
        path: _Path,
        *,
        bind: bool = False,
        scope: Literal["file", "dir_children", "dir_subtree"] = "file",
    ) -> None:
        """Let a Unix socket outside be connected to and sent to by its path.

        Without a grant a command reaches by path only what its own process tree has bound. With
        `dir_children` `path` is a directory, and the sockets directly in it are granted; with `dir_subtree`
        those anywhere below it. A single socket need not exist yet, its directory must. With `bind` it may
        be made there as well, which otherwise takes a write grant.

        What answers there runs outside the sandbox and does what it can do: a grant of docker.sock is a
        grant of the whole machine. It may hand in open files, too. Enforced by a supervisor; where none is
        possible, as with `apply` and `uid`, commands are refused.

        Raises:
            FileNotFoundError: There is no such directory.
            ValueError: Something else than a socket or a directory is there, the name is abstract (`@x`), or
                `scope` is unknown.
            OSError: The path cannot be resolved.
        """
    @property
    def unix_sockets(self) -> list[UnixSocketCapability]:
        """The grants of Unix sockets, one for each path and scope, in the order they were given."""
    def block_network(self) -> None:
        """No network."""
    def allow_localhost_port(self, port: int) -> None:
        """TCP connect and bind on that port of this machine; counts only with `block_network`.

        On Linux a command with such a wish is refused: the kernel compares ports, not addresses.
        """
    def allow_tcp_connect_port(self, port: int) -> None:
        """TCP connect to that port on any host. Every other TCP connect and every bind is refused."""
    def allow_bind_port(self, port: int) -> None:
        """TCP bind on that port. Every other bind and every TCP connect is refused."""
    def platform_rule(self, rule: str) -> None:
        """A macOS Seatbelt rule: checked on every platform, without effect on Linux.

        Raises:
            ValueError: It is malformed, or opens the whole file system.
        """
    def deduplicate(self) -> None:
        """Make one grant of several for the same path. The user's own beat a group's."""
    def path_covered(self, path: _Path) -> bool:
        """Is some directory grant this path or above it? By name only, whatever the access."""
    def fs_capabilities(self) -> list[FsCapability]:
        """The grants, in the order they were given."""
    def summary(self) -> str:
        """Several lines for people."""
    @property
    def is_network_blocked(self) -> bool: ...
    @property
    def localhost_ports(self) -> list[int]: ...
    @property
    def tcp_connect_ports(self) -> list[int]: ...
    @property
    def bind_ports(self) -> list[int]: ...

@final
class SandboxState:
    """A CapabilitySet as JSON, to hand to another process."""

    @staticmethod
    def from_caps(caps: CapabilitySet) -> SandboxState:
        """Raises ValueError for port rules, denied or protected names and paths that are not UTF-8: JSON cannot carry them."""
    @staticmethod
    def from_json(json: str) -> SandboxState:
        """Raises ValueError for anything that is not such a document."""
    def to_json(self) -> str: ...
    def to_caps(self) -> CapabilitySet:
        """Resolve every path again, with the errors of `allow_path`, `allow_file` and `allow_unix_socket`."""
    @property
    def net_blocked(self) -> bool: ...

@final
class QueryContext:
    """Answers what a set of capabilities would allow. Copies the set."""

    def __init__(self, caps: CapabilitySet) -> None: ...
    def query_path(self, path: _Path, mode: AccessMode) -> QueryResult:
        """Would the kernel allow this access, and which grant says so?"""
    def query_network(self) -> QueryResult:
        """With port rules the answer is `denied`, and lists the ports that are open."""

@final
class SupportInfo:
    """Can this host enforce a sandbox, and how?"""

    @property
    def is_supported(self) -> bool: ...
    @property
    def platform(self) -> str: ...
    @property
    def details(self) -> str: ...

@final
class DetectedAbi:
    """The Landlock version of this kernel; versions above 6 are called V6."""

    @property
    def version(self) -> str: ...
    @property
    def has_refer(self) -> bool: ...
    @property
    def has_truncate(self) -> bool: ...
    @property
    def has_execute(self) -> bool: ...
    @property
    def has_network(self) -> bool: ...
    @property
    def has_ioctl_dev(self) -> bool: ...
    @property
    def has_scoping(self) -> bool: ...
    @property
    def feature_names(self) -> list[str]: ...

@final
class Policy:
    """A policy document: named groups of rules, nothing resolved yet."""

    def group_names(self) -> list[str]:
        """Sorted."""
    def group_description(self, name: str) -> str | None: ...
    def resolve_groups(self, group_names: Sequence[str], caps: CapabilitySet) -> ResolvedPolicy:
        """Add to `caps` what the groups allow on this host; paths that are not there are skipped.

        Raises:
            ValueError: A group is unknown, or a path cannot be expanded. `caps` is unchanged then.
        """
    def resolve_deny_paths(self, group_names: Sequence[str]) -> list[str]: ...
    def validate_group_exclusions(self, excluded_groups: Sequence[str]) -> None:
        """Raises ValueError if one of these groups is required."""

@final
class ResolvedPolicy:
    """What some groups came to on this host."""

    @property
    def names(self) -> list[str]:
        """The groups that apply on this platform, in the order they were asked for."""
    @property
    def deny_paths(self) -> list[str]: ...
    @property
    def needs_unlink_overrides(self) -> bool: ...

@final
class ExecResult:
    """How a sandboxed command ended."""

    @property
    def stdout(self) -> bytes: ...
    @property
    def stderr(self) -> bytes: ...
    @property
    def exit_code(self) -> int:
        """The exit status; minus the signal that killed it; 124 after a timeout; 126 when the sandbox
        could not be set up and 127 when the program could not be executed, with the reason on stderr."""
    @property
    def timed_out(self) -> bool: ...
    @property
    def signal(self) -> int | None:
        """The signal that killed the command, if one did."""
    @property
    def truncated(self) -> bool:
        """Was output dropped because it went beyond `max_output_bytes`?"""
    @property
    def dropped_bytes(self) -> int:
        """Of both streams together."""
    @property
    def duration(self) -> float:
        """Seconds from the call to the end of the process tree."""
    @property
    def rusage(self) -> ResourceUsage: ...
    @property
    def denials(self) -> list[Denial]:
        """What the sandbox refused, as far as that is certain."""
    def session_diagnostics(self) -> dict[str, Any]:
        """What is known or can be guessed about a failure.

        Entries with a `detail` were read out of the command's own stderr. They are hints, never facts,
        and a remedy never names more than the path in question.
        """
    def session_diagnostics_json(self) -> str: ...

def sandboxed_exec(
    caps: CapabilitySet,
    command: Sequence[_Path],
    cwd: _Path | None = None,
    timeout_secs: float | None = None,
    env: Sequence[tuple[str, str]] | None = None,
    inherit_env: bool = False,
    max_processes: int | None = None,
    max_cpu_seconds: int | None = None,
    max_file_size_bytes: int | None = None,
    max_open_files: int | None = None,
    uid: int | None = None,
    gid: int | None = None,
    enforcement_mode: str = "auto",
    *,
    stdin: StandardInput | None = None,
    stderr: _StandardError = "pipe",
    max_output_bytes: int | None = None,
    max_memory_bytes: int | None = None,
    isolation: _Isolation = "auto",
) -> ExecResult:
    """Run a command in a sandbox and wait for the end of its whole process tree.

    The command is over when its first process is: whatever else it started is killed then. Waiting
    does not hold the GIL; a signal handler that raises (Ctrl-C) kills the tree and goes on.

    Args:
        caps: What the command may do.
        command: Program and arguments. A program without a slash is looked up in this process's PATH.
        cwd: Working directory; this process's own if None.
        timeout_secs: Seconds until the tree is killed; infinity and None are no limit.
        env: Environment variables, exactly these.
        inherit_env: Put this process's environment below `env`.
        max_processes: Processes and threads of the user that runs the command.
        max_cpu_seconds: CPU time of each process; beyond it SIGKILL.
        max_file_size_bytes: Size of each file written; 0 allows no writing.
        max_open_files: File descriptors of each process.
        uid: Numeric user to run as; needs the right to change it. Not 0.
        gid: Numeric group to run as; `uid` if None. Not 0.
        enforcement_mode: "auto", "landlock" or "seccomp": accepted, all enforce the same.
        stdin: Bytes, a file descriptor, or an object with fileno(); nothing (/dev/null) if None.
        stderr: "pipe" keeps stderr apart; with "stdout" all of it is in `stdout`, in the order of writing.
        max_output_bytes: Kept of each stream: the first and the last half. 64 MiB if None.
        max_memory_bytes: Address space of each process.
        isolation: "process", "namespaces" (own process ids, everything outside write grants
            read-only), "strict" (that, and what is not granted is not there at all: stat, access and
            readlink answer ENOENT; `cwd` must lie in a grant), or "auto": "process" wherever the
            kernel can hold a process tree so.

    Raises:
        ValueError: An argument makes no sense, or an environment variable is not allowed.
        RuntimeError: The program or the working directory is not there, or the system is out of
            processes or descriptors. A sandbox that cannot be enforced is exit code 126 instead.
    """

@final
class Stream:
    """The output of a running command, as it comes: an iterator of `Chunk`. One thread takes at a time.

    What is not taken is held up to `max_output_bytes` of each stream; then the command waits, and nothing is lost. A
    thread that needs no GIL moves the output and keeps the deadline, whether or not somebody asks for a chunk. The
    whole process tree is killed by `close`, at the end of a `with`, when the object is dropped (a `break` out of a
    `for` that nothing else refers to), when a signal handler raises while a chunk is waited for, and with this
    process. In a fork of this process a stream cannot be used (RuntimeError), and is not affected.
    """

    def __iter__(self) -> Self: ...
    def __next__(self) -> Chunk:
        """Waits without the GIL. Ends with the command, whoever still holds its pipes."""
    def close(self) -> None:
        """Kill the whole process tree, unless it has ended, and wait for that; what was not taken is dropped."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
    @property
    def result(self) -> ExecResult | None:
        """How the command ended; None until the last chunk has been asked for. Of the output it has only nono's own
        words, such as the reason of exit code 126, which were the last chunk, too."""

def sandboxed_stream(
    caps: CapabilitySet,
    command: Sequence[_Path],
    cwd: _Path | None = None,
    timeout_secs: float | None = None,
    env: Sequence[tuple[str, str]] | None = None,
    inherit_env: bool = False,
    max_processes: int | None = None,
    max_cpu_seconds: int | None = None,
    max_file_size_bytes: int | None = None,
    max_open_files: int | None = None,
    uid: int | None = None,
    gid: int | None = None,
    enforcement_mode: str = "auto",
    *,
    stdin: StandardInput | None = None,
    stderr: _StandardError = "pipe",
    max_output_bytes: int | None = None,
    max_memory_bytes: int | None = None,
    isolation: _Isolation = "auto",
) -> Stream:
    """Start a command in a sandbox and take its output while it comes.

    Parameters and errors are those of `sandboxed_exec`, but for `max_output_bytes`: how many bytes of each stream are
    held before the command has to wait, 1 MiB if None. With "pipe" the order of chunks of the two streams is only
    roughly that of writing; with "stdout" it is exact, and there is one stream::

        with sandboxed_stream(caps, ["make"], timeout_secs=600) as stream:
            for name, data in stream:
                ...
        print(stream.result.exit_code)
    """

@final
class JobStatus:
    """A job at one moment."""

    @property
    def running(self) -> bool:
        """False once the whole process tree has ended; then this is the last of the output."""
    @property
    def exit_code(self) -> int | None:
        """As `ExecResult.exit_code`; None while it runs."""
    @property
    def output(self) -> bytes: ...
    @property
    def position(self) -> int:
        """Behind the last byte of `output`, counted from the first byte of all output."""
    @property
    def dropped_bytes(self) -> int:
        """Bytes between the position that was asked for and `output` that are not kept any more."""

def plan(
    caps: CapabilitySet,
    *,
    env: Sequence[tuple[str, str]] | None = None,
    inherit_env: bool = False,
    max_processes: int | None = None,
    max_cpu_seconds: int | None = None,
    max_file_size_bytes: int | None = None,
    max_open_files: int | None = None,
    uid: int | None = None,
    gid: int | None = None,
    enforcement_mode: str = "auto",
    max_memory_bytes: int | None = None,
    isolation: _Isolation = "auto",
) -> dict[str, Any]:
    """The effective policy record: for every boundary, what enforces it. Starts nothing.

    Arguments are those of `sandboxed_exec`; environment variables appear by name only.

    Raises:
        RuntimeError: This host cannot enforce what was asked for.
        ValueError: An argument makes no sense.
    """

def apply(caps: CapabilitySet) -> None:
    """Put this process under a sandbox, for good.

    Every thread is bound or none: a process with a thread that cannot be reached within 3 seconds is
    refused.

    Raises:
        RuntimeError: It cannot be enforced; nothing has changed, or the message says how far it went.
    """

def apply_landlock(caps: CapabilitySet) -> None:
    """The same as `apply`."""

def apply_seccomp(caps: CapabilitySet, external_tcp: bool = False) -> None:
    """The same as `apply`; with `external_tcp` the set's network wishes are left to somebody else."""

def apply_external() -> None:
    """Nothing: a marker for `somebody else filters TCP`."""

def apply_auto_with_abi(caps: CapabilitySet, abi: DetectedAbi) -> None:
    """The same as `apply`."""

def apply_landlock_with_abi(caps: CapabilitySet, abi: DetectedAbi) -> None:
    """The same as `apply`."""

def apply_seccomp_with_abi(caps: CapabilitySet, abi: DetectedAbi, external_tcp: bool = False) -> None:
    """The same as `apply_seccomp`."""

def is_supported() -> bool:
    """Would a command with no special wishes start on this host?"""

def support_info() -> SupportInfo: ...
def detect_abi() -> DetectedAbi:
    """Raises RuntimeError without Landlock."""

def load_policy(json: str) -> Policy:
    """Parse a policy document.

    Raises:
        ValueError: It is no JSON, or has a key or a type that does not belong; the message names it.
    """

def load_embedded_policy() -> Policy:
    """The policy that comes with nono."""

def embedded_policy_json() -> str:
    """The text of the policy that comes with nono."""

def validate_deny_overlaps(deny_paths: Sequence[_Path], caps: CapabilitySet) -> None:
    """Raises RuntimeError when a grant covers a path that is to be denied: it could not be enforced."""

def apply_unlink_overrides(caps: CapabilitySet) -> None:
    """Without effect on Linux, where a write grant includes removing."""

def build_session_diagnostic_report(exit_code: int) -> dict[str, Any]:
    """The general advice that follows an exit code; none after 0."""

def merge_diagnostic_report_json(
    session_report_json: str, proxy_diagnostics_json: str | None = None
) -> dict[str, Any]:
    """Both reports, parsed, under the keys `session` and `proxy`.

    Raises:
        ValueError: One of them is no JSON.
    """

@final
class _Child:
    """One running command, for an event loop."""

    def fileno(self) -> int:
        """Readable when `step` has something to do; -1 when nothing was started."""
    def step(self) -> bool:
        """Move what there is to move; True when the tree has ended. Never waits."""
    @property
    def has_output(self) -> bool:
        """Is there something to take?"""
    def take(self) -> list[Chunk]:
        """What a stream has brought since the last time."""
    def kill(self) -> None:
        """End the whole tree; returns at once."""
    def result(self, timed_out: bool) -> ExecResult:
        """Once, after `step` said True."""
    @property
    def timeout(self) -> float | None:
        """Seconds; None without a limit."""

def _spawn(
    caps: CapabilitySet,
    command: Sequence[_Path],
    cwd: _Path | None = None,
    timeout_secs: float | None = None,
    env: Sequence[tuple[str, str]] | None = None,
    inherit_env: bool = False,
    max_processes: int | None = None,
    max_cpu_seconds: int | None = None,
    max_file_size_bytes: int | None = None,
    max_open_files: int | None = None,
    uid: int | None = None,
    gid: int | None = None,
    enforcement_mode: str = "auto",
    *,
    stdin: StandardInput | None = None,
    stderr: _StandardError = "pipe",
    max_output_bytes: int | None = None,
    max_memory_bytes: int | None = None,
    isolation: _Isolation = "auto",
) -> _Child: ...

class FileError(Exception):
    """A file tool did not do what it was asked for.

    The message is `file_not_found`, `permission_denied`, `is_directory`, `not_a_directory`, `not_a_file` (a FIFO, a
    socket, a device), `invalid_path`, `already_exists`, `not_a_text_file`, `string_not_found`, `multiple_occurrences`,
    `too_large`, `invalid_pattern`, `pattern_too_broad`, or the system's words for anything else.
    """

@final
class FilePage:
    """What `FileTools.read` found."""

    @property
    def content(self) -> str | bytes:
        """Lines, joined by line feeds, the last one without its end; bytes of a file that is not text."""
    @property
    def is_empty_file(self) -> bool:
        """Nothing is in the file; then nothing else is said."""
    @property
    def no_lines_requested(self) -> bool:
        """`limit` was 0 or less."""
    @property
    def start_line(self) -> int:
        """Of text: number of the first line, from 1; 0 where there is none."""
    @property
    def end_line(self) -> int:
        """Of text: number of the last line."""
    @property
    def total_lines(self) -> int | None:
        """None where the rest of a file of more than 1 MiB would have to be read to know it."""
    @property
    def next_offset(self) -> int | None:
        """For the next page; None when this one ends the file."""

class _FileEntry(TypedDict):
    path: str
    is_dir: bool
    size: int
    modified_at: str

class _FileMatch(TypedDict):
    path: str
    line: int
    text: str

class _FileTools:
    """The file tools of one sandbox, without a process.

    The work is done in C++ on threads of this process that Landlock confines to the grants of `caps`; denied and
    protected names hold as for commands. Threads are made when they are needed. Nothing of a procfs is opened.

    Paths are absolute. `shown_as` is what paths in results begin with instead of `path`. The GIL is released while a
    tool works. Methods may be called from several threads at once.

    Methods raise `FileError`; ValueError for text that cannot be encoded; RuntimeError after `close`, and where no
    thread can be confined.
    """

    def __init__(self, caps: CapabilitySet, *, isolation: _Isolation = "auto") -> None:
        """Copy `caps`.

        Args:
            caps: What the tools may do.
            isolation: That of the sandbox's commands; what refuses these is refused here.

        Raises:
            RuntimeError: The kernel cannot enforce it.
        """
    def close(self) -> None:
        """End the threads. May be called again."""
    @staticmethod
    def canonical(path: _Path) -> str:
        """Where an absolute path leads now, links followed as far as there is anything; says nothing of grants."""
    def ls(self, path: _Path, shown_as: _Path) -> list[_FileEntry]:
        """What is in a directory, sorted by the bytes of the names; size in bytes, time as ISO 8601 in UTC."""
    def read(self, path: _Path, offset: int = 0, limit: int = 2000, binary: bool = False) -> FilePage:
        """A page of a file: `limit` lines after the first `offset`, 512,000 bytes at most.

        With `binary`, or when the file turns out not to be UTF-8, all of it up to 512,000 bytes.
        """
    def write(self, path: _Path, content: str, replace: bool = True) -> None:
        """Make `content` the whole of a file, at once, and make the directories that it is in.

        Raises:
            FileError: `already_exists` without `replace`.
        """
    def edit(self, path: _Path, old: str, new: str, replace_all: bool = False) -> int:
        """Replace literal text in a file of up to 64 MiB, before and after; the number of replacements.

        Where `old` does not occur as it is, its line ends are tried as CRLF and as LF, and `new` gets the same.

        Raises:
            ValueError: `old` is empty.
        """
    def delete(self, path: _Path) -> None:
        """Remove a file, a link, or a directory with all it holds."""
    def glob(
        self, pattern: str, path: _Path, shown_as: _Path, top_level: bool = False, directories: bool = False
    ) -> tuple[list[_FileEntry], Literal["budget", "unreadable"] | None]:
        """Files below a directory by name, sorted, and why they may not be all: 5 seconds or 10,000 files were not
        enough, or a directory could not be read.

        Args:
            pattern: `*`, `?`, `[a-z]`, `{a,b}`; without a slash about names at any depth, with one about paths below
                `path`, where `**` is any number of directories. A name with a dot first takes a pattern with one.
            path: Where to look.
            shown_as: See above; empty for relative paths.
            top_level: A pattern without a slash is about the names in `path` itself.
            directories: Find directories as well.
        """
    def grep(
        self,
        pattern: str,
        path: _Path,
        shown_as: _Path,
        glob: str | None = None,
        max_count: int | None = None,
        skip: Sequence[str] = (),
    ) -> tuple[list[_FileMatch], bool]:
        """Lines that hold a literal text, sorted by path and line, and whether there may be more.

        Files with a 0 byte have no lines. At most 15 seconds, 100,000 matches, 64 MiB of text.

        Args:
            pattern: Each line of it is looked for.
            path: A directory, or one file.
            shown_as: See above.
            glob: Of the files, as in `glob`.
            max_count: Matches in all.
            skip: Names of directories that are not entered, but for `path` itself.
        """
    def upload(self, files: Iterable[tuple[_Path, bytes]]) -> list[str | None]:
        """Write files as `write` does; for each None or the message of its FileError."""
    def download(self, paths: Sequence[_Path]) -> list[bytes | str]:
        """Read whole files of up to 64 MiB; for each its content or the message of its FileError."""
    def _notifier(self) -> _Notifier: ...
    def _start_ls(self, number: int, path: _Path, shown_as: _Path) -> _Ticket: ...
    def _start_read(
        self, number: int, path: _Path, offset: int = 0, limit: int = 2000, binary: bool = False
    ) -> _Ticket: ...
    def _start_write(self, number: int, path: _Path, content: str, replace: bool = True) -> _Ticket: ...
    def _start_edit(
        self, number: int, path: _Path, old: str, new: str, replace_all: bool = False
    ) -> _Ticket: ...
    def _start_delete(self, number: int, path: _Path) -> _Ticket: ...
    def _start_glob(
        self,
        number: int,
        pattern: str,
        path: _Path,
        shown_as: _Path,
        top_level: bool = False,
        directories: bool = False,
    ) -> _Ticket: ...
    def _start_grep(
        self,
        number: int,
        pattern: str,
        path: _Path,
        shown_as: _Path,
        glob: str | None = None,
        max_count: int | None = None,
        skip: Sequence[str] = (),
    ) -> _Ticket: ...
    def _start_upload(self, number: int, files: Iterable[tuple[_Path, bytes]]) -> _Ticket: ...
    def _start_download(self, number: int, paths: Sequence[_Path]) -> _Ticket: ...

@final
class _Notifier:
    """Tells event loops which calls of file tools have ended."""

    def fileno(self) -> int:
        """Readable when there are any."""
    def take(self) -> list[int]:
        """Their numbers, each once. Never waits."""

@final
class _Ticket:
    """A call of a file tool that an event loop waits for."""

    def cancel(self) -> None:
        """End a search at its next look up; nothing else is cut short."""
    def result(self) -> Any:
        """Once, after the notifier has told it; raises what the tool raised."""
def _spawn_stream(
    caps: CapabilitySet, command: Sequence[_Path], **options: Unpack[_ExecOptions]
) -> _Child: ...

@final
class _Job:
    """One command in the background; see `nono_py.Job`."""

    def poll(self, since: int | None) -> JobStatus: ...
    def tail(self, max_bytes: int) -> bytes: ...
    def kill(self) -> None:
        """End the whole tree; returns at once."""
    def wait(self, timeout: float | None) -> bool:
        """Has the tree ended within so many seconds?"""
    def fileno(self) -> int:
        """Readable once the tree has ended; -1 when nothing was started."""
    @property
    def is_ours(self) -> bool:
        """False in a fork of the process that started it."""
    def result(self) -> ExecResult:
        """Raises RuntimeError while it runs."""

def _start_job(caps: CapabilitySet, command: Sequence[_Path], **options: Unpack[_ExecOptions]) -> _Job: ...
