"""nono: run commands of an AI agent in a sandbox that the kernel enforces.

Example::

    from nono_py import AccessMode, CapabilitySet, sandboxed_exec

    caps = CapabilitySet()
    for directory in ("/usr", "/bin", "/lib", "/lib64"):
        caps.allow_path(directory, AccessMode.READ)
    caps.allow_path("/home/me/project", AccessMode.READ_WRITE)
    caps.block_network()
    result = sandboxed_exec(caps, ["python3", "build.py"], cwd="/home/me/project", timeout_secs=60)
    print(result.exit_code, result.stdout)
"""

from __future__ import annotations

from nono_py._async import AsyncStream, sandboxed_exec_async, sandboxed_stream_async
from nono_py._files import FileTools
from nono_py._job import Job, sandboxed_job
from nono_py._nono_py import (
    AccessMode,
    CapabilitySet,
    CapabilitySource,
    DetectedAbi,
    ExecResult,
    FileError,
    FilePage,
    FsCapability,
    JobStatus,
    Policy,
    QueryContext,
    ResolvedPolicy,
    SandboxState,
    Stream,
    SupportInfo,
    UnixSocketCapability,
    apply,
    apply_auto_with_abi,
    apply_external,
    apply_landlock,
    apply_landlock_with_abi,
    apply_seccomp,
    apply_seccomp_with_abi,
    apply_unlink_overrides,
    build_session_diagnostic_report,
    detect_abi,
    embedded_policy_json,
    is_supported,
    load_embedded_policy,
    load_policy,
    merge_diagnostic_report_json,
    plan,
    sandboxed_exec,
    sandboxed_stream,
    support_info,
    validate_deny_overlaps,
)

TYPE_CHECKING = False  # typing costs more to import than all of this package
if TYPE_CHECKING:
    from types import ModuleType

    from nono_py import limited

__version__ = "0.17.0"

__all__ = [
    "AccessMode",
    "AsyncStream",
    "CapabilitySet",
    "CapabilitySource",
    "DetectedAbi",
    "ExecResult",
    "FileError",
    "FilePage",
    "FileTools",
    "FsCapability",
    "Job",
    "JobStatus",
    "Policy",
    "QueryContext",
    "ResolvedPolicy",
    "SandboxState",
    "Stream",
    "SupportInfo",
    "UnixSocketCapability",
    "apply",
    "apply_auto_with_abi",
    "apply_external",
    "apply_landlock",
    "apply_landlock_with_abi",
    "apply_seccomp",
    "apply_seccomp_with_abi",
    "apply_unlink_overrides",
    "build_session_diagnostic_report",
    "detect_abi",
    "embedded_policy_json",
    "is_supported",
    "limited",
    "load_embedded_policy",
    "load_policy",
    "merge_diagnostic_report_json",
    "plan",
    "sandboxed_exec",
    "sandboxed_exec_async",
    "sandboxed_job",
    "sandboxed_stream",
    "sandboxed_stream_async",
    "support_info",
    "validate_deny_overlaps",
]


def __getattr__(name: str) -> ModuleType:
    """`nono_py.limited`, imported on first use: its imports cost more than all the rest."""
    if name == "limited":
        import importlib

        return importlib.import_module("nono_py.limited")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
