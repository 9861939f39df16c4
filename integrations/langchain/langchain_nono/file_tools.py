"""The file tools: those of `BaseSandbox`, on mapped paths, with an edit of its own.

`BaseSandbox` runs a small script in the sandbox for each tool. Since deepagents 0.6.11 its async
methods do so themselves instead of calling the sync ones, so both are overridden here. What differs
between releases is looked at once, on import.
"""

import asyncio
import dataclasses
import inspect
from typing import Any

from deepagents.backends.protocol import (
    EditResult,
    FileDownloadResponse,
    FileUploadResponse,
    GlobResult,
    GrepResult,
    LsResult,
    ReadResult,
    WriteResult,
)
from deepagents.backends.sandbox import BaseSandbox

from langchain_nono import editing
from langchain_nono.paths import PathMap
from langchain_nono.transfer import Transfer, TransferError

_BASE_LIMITS_GREP = "max_count" in inspect.signature(BaseSandbox.grep).parameters
_GREP_SAYS_TRUNCATED = "truncated" in {field.name for field in dataclasses.fields(GrepResult)}


class FileTools(BaseSandbox):
    """A `BaseSandbox` whose paths are mapped and whose transfers cannot leave the granted directories."""

    _paths: PathMap
    _transfer: Transfer

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        """Write files, parents included; each one succeeds or fails by itself, none raises.

        Args:
            files: Absolute paths with their content.

        Returns:
            A response each, in order, with the path as given. `error` is None, `invalid_path`,
            `permission_denied`, `is_directory`, or the system's own words (a full disk, say).
        """
        return [FileUploadResponse(path=path, error=self._upload(path, content)) for path, content in files]

    def download_files(self, paths: list[str]) -> list[FileDownloadResponse]:
        """Read files; each one succeeds or fails by itself, none raises.

        Args:
            paths: Absolute paths.

        Returns:
            A response each, in order, with the path as given and either `content` or an `error`:
            `invalid_path`, `permission_denied`, `is_directory`, `file_not_found`, or a sentence,
            for example for a file larger than `langchain_nono.transfer.DOWNLOAD_LIMIT`.
        """
        return [self._download(path) for path in paths]

    def ls(self, path: str) -> LsResult:
        """List a directory; see `BaseSandbox.ls`."""
        try:
            host = self._paths.host(path)
        except ValueError as error:
            return LsResult(error=_invalid(path, error))
        return super().ls(host)

    async def als(self, path: str) -> LsResult:
        """Async version of `ls`."""
        try:
            host = self._paths.host(path)
        except ValueError as error:
            return LsResult(error=_invalid(path, error))
        return await super().als(host)

    def read(self, file_path: str, offset: int = 0, limit: int = 2000) -> ReadResult:
        """Read a page of `limit` lines from line `offset` (from 0); see `BaseSandbox.read`."""
        try:
            host = self._paths.host(file_path)
        except ValueError as error:
            return ReadResult(error=_invalid(file_path, error))
        return super().read(host, offset, limit)

    async def aread(self, file_path: str, offset: int = 0, limit: int = 2000) -> ReadResult:
        """Async version of `read`."""
        try:
            host = self._paths.host(file_path)
        except ValueError as error:
            return ReadResult(error=_invalid(file_path, error))
        return await super().aread(host, offset, limit)

    def write(self, file_path: str, content: str) -> WriteResult:
        """Write a file; whether it may exist is for the installed `BaseSandbox.write` to say."""
        try:
            host = self._writable(file_path)
        except ValueError as error:
            return WriteResult(error=str(error))
        return super().write(host, content)

    async def awrite(self, file_path: str, content: str) -> WriteResult:
        """Async version of `write`."""
        try:
            host = self._writable(file_path)
        except ValueError as error:
            return WriteResult(error=str(error))
        return await super().awrite(host, content)

    def edit(self, file_path: str, old_string: str, new_string: str, replace_all: bool = False) -> EditResult:
        """Replace text in a file, in place and without a process, whatever the sizes.

        Args:
            file_path: Absolute path of a file in a directory that is granted for reading and writing.
            old_string: Literal text, not empty; must occur once unless `replace_all`.
            new_string: Text to put there.
            replace_all: Replace every occurrence.

        Returns:
            `path` and `occurrences`, or `error` in the words of `BaseSandbox.edit`.
        """
        if not old_string:
            return EditResult(error=editing.EMPTY_OLD_STRING)
        try:
            host = self._paths.host(file_path)
        except ValueError as error:
            return EditResult(error=_invalid(file_path, error))
        count = 0

        def change(raw: bytes) -> bytes:
            nonlocal count
            changed, count = editing.replace(raw, old_string, new_string, replace_all=replace_all)
            return changed

        try:
            self._transfer.rewrite(host, change)
        except (TransferError, editing.EditError) as refusal:
            return EditResult(error=editing.describe(str(refusal), host, old_string))
        except ValueError as error:
            return EditResult(error=_invalid(file_path, error))
        return EditResult(path=host, occurrences=count)

    async def aedit(
        self, file_path: str, old_string: str, new_string: str, replace_all: bool = False
    ) -> EditResult:
        """Async version of `edit`."""
        return await asyncio.to_thread(self.edit, file_path, old_string, new_string, replace_all)

    def grep(
        self, pattern: str, path: str | None = None, glob: str | None = None, *, max_count: int | None = None
    ) -> GrepResult:
        """Search for literal text; no path is the working directory. See `BaseSandbox.grep`."""
        try:
            host = path if path is None else self._paths.host(path)
        except ValueError as error:
            return GrepResult(error=_invalid(path, error))
        if _BASE_LIMITS_GREP:
            return super().grep(pattern, host, glob, max_count=max_count)
        return _first_matches(super().grep(pattern, host, glob), max_count)

    async def agrep(
        self, pattern: str, path: str | None = None, glob: str | None = None, *, max_count: int | None = None
    ) -> GrepResult:
        """Async version of `grep`."""
        try:
            host = path if path is None else self._paths.host(path)
        except ValueError as error:
            return GrepResult(error=_invalid(path, error))
        if _BASE_LIMITS_GREP:
            return await super().agrep(pattern, host, glob, max_count=max_count)
        return _first_matches(await super().agrep(pattern, host, glob), max_count)

    def glob(self, pattern: str, path: str | None = None) -> GlobResult:
        """Find files by name; no path is the working directory. See `BaseSandbox.glob`."""
        try:
            host = self._paths.working_dir if path is None else self._paths.host(path)
        except ValueError as error:
            return GlobResult(error=_invalid(path, error))
        return super().glob(pattern, host)

    async def aglob(self, pattern: str, path: str | None = None) -> GlobResult:
        """Async version of `glob`."""
        try:
            host = self._paths.working_dir if path is None else self._paths.host(path)
        except ValueError as error:
            return GlobResult(error=_invalid(path, error))
        return await super().aglob(pattern, host)

    if hasattr(BaseSandbox, "delete"):  # since 0.7.0, which looks for the method to offer the tool

        def delete(self, file_path: str) -> Any:
            """Remove a file or a directory with all it holds, but not the working directory itself."""
            from deepagents.backends.protocol import DeleteResult

            try:
                host = self._paths.entry(file_path)
            except ValueError as error:
                return DeleteResult(error=_invalid(file_path, error))
            if host == self._paths.working_dir:
                return DeleteResult(error=f"Error deleting file '{file_path}': it is the working directory")
            return super().delete(host)

        async def adelete(self, file_path: str) -> Any:
            """Async version of `delete`."""
            return await asyncio.to_thread(self.delete, file_path)

        def execute_with_offload(self, command: str, capture_path: str, **options: Any) -> Any:
            """Run a command, long output to a file; see `BaseSandbox.execute_with_offload`."""
            return super().execute_with_offload(command, self._paths.host(capture_path), **options)

        async def aexecute_with_offload(self, command: str, capture_path: str, **options: Any) -> Any:
            """Async version of `execute_with_offload`."""
            return await super().aexecute_with_offload(command, self._paths.host(capture_path), **options)

    def _upload(self, path: str, content: bytes) -> str | None:
        try:
            self._transfer.write(self._paths.host(path), content)
        except TransferError as error:
            return error.code
        except ValueError:
            return "invalid_path"
        return None

    def _download(self, path: str) -> FileDownloadResponse:
        try:
            content = self._transfer.read(self._paths.host(path))
        except TransferError as error:
            return FileDownloadResponse(path=path, error=error.code)
        except ValueError:
            return FileDownloadResponse(path=path, error="invalid_path")
        return FileDownloadResponse(path=path, content=content)

    def _writable(self, path: str) -> str:
        """The host path to write to; ValueError with the tool's sentence when that cannot be."""
        try:
            host = self._paths.host(path)
            allowed = self._transfer.may_write(host)
        except ValueError as error:
            raise ValueError(_invalid(path, error)) from None
        if not allowed:
            raise ValueError(f"Failed to write file '{host}': permission_denied")
        return host


def _invalid(path: str | None, error: ValueError) -> str:
    return f"Invalid path '{path}': {error}"


def _first_matches(result: GrepResult, max_count: int | None) -> GrepResult:
    if max_count is None or not result.matches or len(result.matches) <= max_count:
        return result
    marks: dict[str, Any] = {"truncated": True} if _GREP_SAYS_TRUNCATED else {}
    return GrepResult(matches=result.matches[:max_count], **marks)
