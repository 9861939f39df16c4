"""What the installed release of deepagents knows, so that a test expects no more than that."""

import dataclasses
from importlib.metadata import version
from typing import Any, TypeVar

from deepagents.backends.protocol import GrepResult, ReadResult
from deepagents.backends.sandbox import BaseSandbox
from packaging.version import Version

RELEASE = Version(version("deepagents"))

WRITE_REPLACES = DELETES = hasattr(BaseSandbox, "delete")
"""Both since 0.7.0. Before, a write over an existing file is an error."""

GLOB_IS_ABSOLUTE = Version("0.7.7") <= RELEASE
"""Absolute paths of regular files, a bare pattern at any depth; before, as Python's `glob.glob` has it."""

Result = TypeVar("Result")


def knows(kind: type, field: str) -> bool:
    """Whether the installed result type has this field."""
    return field in {each.name for each in dataclasses.fields(kind)}


READ_HAS_WINDOW = knows(ReadResult, "no_lines_requested")
"""Since 0.7.1, with all that the stock read is compared in."""

GREP_SAYS_TRUNCATED = knows(GrepResult, "truncated")


def shape(kind: type[Result], **fields: Any) -> Result:
    """A result of this kind, less the fields that the installed release does not have."""
    return kind(**{name: value for name, value in fields.items() if knows(kind, name)})
