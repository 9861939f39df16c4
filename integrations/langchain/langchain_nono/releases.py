"""What differs between the releases of deepagents, looked at once, on import."""

import dataclasses
import functools
import importlib.metadata
import re
from typing import Any, TypeVar

from deepagents.backends.sandbox import BaseSandbox

Result = TypeVar("Result")


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", importlib.metadata.version("deepagents"))[:3])


WRITE_REPLACES = hasattr(BaseSandbox, "delete")
"""Since 0.7.0, with which `delete` came, `write` replaces a file; before it refuses one that exists."""

GLOB_IS_RECURSIVE = _version() >= (0, 7, 7)
"""Since 0.7.7 glob finds files at any depth, by absolute paths; before, what a shell's pattern finds."""


def make(kind: type[Result], **values: Any) -> Result:
    """A result object of the installed release; what it has no field for is left out."""
    known = _fields(kind)  # type: ignore[arg-type]
    return kind(**{name: value for name, value in values.items() if name in known})


@functools.cache
def _fields(kind: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(kind))
