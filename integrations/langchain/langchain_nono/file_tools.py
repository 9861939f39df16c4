"""The file tools: native ones on threads that the kernel confines as it does the sandbox's commands.

No process is started, and every rule that holds for a command holds here: the work is done by
`nono_py.FileTools` from the same capabilities. Since deepagents 0.6.11 the async methods of
`BaseSandbox` do not call the sync ones, so both are here. Results are those of the installed release.
"""

import base64
import itertools
import os
import posixpath
from collections.abc import Generator
from typing import Any, TypeVar, cast

from deepagents.backends.protocol import (
    EditResult,
    FileData,
    FileDownloadResponse,
    FileUploadResponse,
    GlobResult,
    GrepResult,
    LsResult,
    ReadResult,
    WriteResult,
)
from deepagents.backends.sandbox import BaseSandbox
from nono_py import FileError, FilePage
from nono_py import FileTools as NativeTools

from langchain_nono import releases
from langchain_nono.paths import PathMap

_EMPTY_FILE = "System reminder: File exists but has empty contents"
_EMPTY_OLD_STRING = "Error: old_string cannot be empty. Provide the exact text to replace."
_TOO_LARGE = "Binary file exceeds maximum preview size of 512000 bytes"

# What models take as media; whatever else is not text is found out by looking.
_BINARY = frozenset((
    ".png", ".jpeg", ".jpg", ".webp", ".gif", ".heic", ".heif",
    ".mp4", ".mpeg", ".mov", ".avi", ".flv", ".mpg", ".webm", ".wmv", ".3gpp", ".mkv",
    ".wav", ".mp3", ".aiff", ".aac", ".ogg", ".flac",
    ".pdf", ".ppt", ".pptx",
))  # fmt: skip

_EDIT_ERRORS = {
    "file_not_found": "Error: File '{path}' not found",
    "permission_denied": "Error: Permission denied editing file '{path}'",
    "is_directory": "Error: '{path}' is not a regular file",
    "not_a_file": "Error: '{path}' is not a regular file",
    "not_a_directory": "Error: File '{path}' not found",
    "not_a_text_file": "Error: File '{path}' is not a text file",
    "string_not_found": "Error: String not found in file: '{old}'",
    "multiple_occurrences": (
        "Error: String '{old}' appears multiple times. Use replace_all=True to replace all occurrences."
    ),
    "too_large": "Error editing file '{path}': it is larger than 64 MiB, or would be",
}
_LS_CODES = {"file_not_found": "path_not_found"}
_GREP_CODES = {"file_not_found": "not found", "not_a_directory": "not found"}
_READ_CODES = {"is_directory": "not_a_file", "not_a_directory": "file_not_found", "too_large": _TOO_LARGE}
_UPLOAD_CODES = {"not_a_directory": "permission_denied", "not_a_file": "permission_denied"}
_DOWNLOAD_CODES = {
    "not_a_directory": "file_not_found",
    "not_a_file": "permission_denied",
    "too_large": "file is larger than 64 MiB",
}


# A tool says once which native call it needs, gets what that returned or raised, and returns its result.
_Call = tuple[str, tuple[Any, ...]]
_Result = TypeVar("_Result")


class FileTools(BaseSandbox):
    """A `BaseSandbox` whose file methods start no process; the subclass gives paths and native tools."""

    grep_exclude_dirs: tuple[str, ...] = (".git",)
    """Names of directories that grep does not enter, unless the search starts in one."""

    _paths: PathMap

    def _native(self) -> NativeTools:
        """The confined tools; RuntimeError when there are none."""
        raise NotImplementedError

    def ls(self, path: str) -> LsResult:
        """List a directory, sorted by path.

        Returns:
            Entries with `path` (absolute, no slash at its end), `is_dir`, `size` in bytes (0 for a
            directory) and `modified_at` (ISO 8601, UTC), or `error`.
        """
        return self._run(self._ls(path))

    async def als(self, path: str) -> LsResult:
        """Async version of `ls`."""
        return await self._arun(self._ls(path))

    def _ls(self, path: str) -> Generator[_Call, Any, LsResult]:
        try:
            return LsResult(entries=(yield "ls", (self._paths.host(path), _shown(path))))
        except FileError as error:
            return LsResult(error=f"Path '{path}': {_LS_CODES.get(str(error), error)}")
        except ValueError as error:
            return LsResult(error=_invalid(path, error))

    def read(self, file_path: str, offset: int = 0, limit: int = 2000) -> ReadResult:
        """Read a page of a text file, or a small binary file as base64.

        Args:
            file_path: Absolute path.
            offset: Lines before the page; below 0 means 0.
            limit: Lines of the page; none for 0 and less.
        """
        return self._run(self._read(file_path, offset, limit))

    async def aread(self, file_path: str, offset: int = 0, limit: int = 2000) -> ReadResult:
        """Async version of `read`."""
        return await self._arun(self._read(file_path, offset, limit))

    def _read(self, path: str, offset: int, limit: int) -> Generator[_Call, Any, ReadResult]:
        is_binary = posixpath.splitext(path)[1].lower() in _BINARY
        try:
            page = yield "read", (self._paths.host(path), int(offset), int(limit), is_binary)
        except FileError as error:
            return ReadResult(error=f"File '{path}': {_READ_CODES.get(str(error), error)}")
        except ValueError as error:
            return ReadResult(error=_invalid(path, error))
        return _read_result(page)

    def write(self, file_path: str, content: str) -> WriteResult:
        """Make `content` the whole of a file, with its parents if missing.

        Before deepagents 0.7 a file that exists is refused. One that is replaced is so at once, and keeps
        its mode.
        """
        return self._run(self._write(file_path, content))

    async def awrite(self, file_path: str, content: str) -> WriteResult:
        """Async version of `write`."""
        return await self._arun(self._write(file_path, content))

    def _write(self, path: str, content: str) -> Generator[_Call, Any, WriteResult]:
        try:
            yield "write", (self._paths.host(path), content, releases.WRITE_REPLACES)
        except FileError as error:
            if str(error) == "already_exists":
                return WriteResult(error=f"Error: File already exists: '{path}'")
            return WriteResult(error=f"Failed to write file '{path}': {error}")
        except ValueError as error:
            return WriteResult(error=_invalid(path, error))
        return WriteResult(path=path)

    def edit(self, file_path: str, old_string: str, new_string: str, replace_all: bool = False) -> EditResult:
        """Replace literal text in a file, true to its line ends, whatever the sizes.

        Args:
            file_path: Absolute path of a file that may be read and written.
            old_string: Literal text, not empty; must occur once unless `replace_all`.
            new_string: Text to put there.
            replace_all: Replace every occurrence.

        Returns:
            `path` and `occurrences`, or `error` in the words of Deep Agents.
        """
        return self._run(self._edit(file_path, old_string, new_string, replace_all))

    async def aedit(
        self, file_path: str, old_string: str, new_string: str, replace_all: bool = False
    ) -> EditResult:
        """Async version of `edit`."""
        return await self._arun(self._edit(file_path, old_string, new_string, replace_all))

    def _edit(self, path: str, old: str, new: str, replace_all: bool) -> Generator[_Call, Any, EditResult]:
        if not old:
            return EditResult(error=_EMPTY_OLD_STRING)
        try:
            count = yield "edit", (self._paths.host(path), old, new, replace_all)
        except FileError as error:
            sentence = _EDIT_ERRORS.get(str(error), "Error editing file '{path}': {code}")
            return EditResult(error=sentence.format(path=path, old=old, code=error))
        except UnicodeEncodeError:
            return EditResult(error=f"Error editing file '{path}': the text is not valid Unicode")
        except ValueError as error:
            return EditResult(error=_invalid(path, error))
        return EditResult(path=path, occurrences=count)

    def grep(
        self, pattern: str, path: str | None = None, glob: str | None = None, *, max_count: int | None = None
    ) -> GrepResult:
        """Search files for literal text.

        Args:
            pattern: Literal text; each line of it is looked for.
            path: Absolute path of a directory or file; the working directory if None.
            glob: Of the files, as in `glob`.
            max_count: Matches at most, in all.

        Returns:
            Matches (`path`, `line` from 1, `text`) in order of path and line; `truncated` when there may be
            more.
        """
        return self._run(self._grep(pattern, path, glob, max_count))

    async def agrep(
        self, pattern: str, path: str | None = None, glob: str | None = None, *, max_count: int | None = None
    ) -> GrepResult:
        """Async version of `grep`; cancelling it ends the search."""
        return await self._arun(self._grep(pattern, path, glob, max_count))

    def _grep(
        self, pattern: str, path: str | None, glob: str | None, max_count: int | None
    ) -> Generator[_Call, Any, GrepResult]:
        searched = self._paths.start if path is None else path
        limit = None if max_count is None else max(max_count, 0)
        try:
            matches, is_cut = yield (
                "grep",
                (pattern, self._paths.host(searched), _shown(searched), glob, limit, self.grep_exclude_dirs),
            )
        except FileError as error:
            return GrepResult(error=f"Path '{searched}': {_GREP_CODES.get(str(error), error)}")
        except ValueError as error:
            return GrepResult(error=_invalid(searched, error))
        return releases.make(GrepResult, matches=matches, truncated=is_cut)

    def glob(self, pattern: str, path: str | None = None) -> GlobResult:
        """Find files by name.

        Args:
            pattern: `*`, `?`, `[a-z]`, `{a,b}`; without a slash about names at any depth, with one about
                paths below `path`, where `**` is any number of directories. A name with a dot first takes a
                pattern with one.
            path: Absolute path of a directory; the working directory if None.

        Returns:
            Entries as of `ls`, sorted; `truncated` when there may be more. Before deepagents 0.7.7 as a
            shell's pattern, with directories and relative paths.
        """
        return self._run(self._glob(pattern, path))

    async def aglob(self, pattern: str, path: str | None = None) -> GlobResult:
        """Async version of `glob`; cancelling it ends the search."""
        return await self._arun(self._glob(pattern, path))

    def _glob(self, pattern: str, path: str | None) -> Generator[_Call, Any, GlobResult]:
        searched = self._paths.start if path is None else path
        is_new = releases.GLOB_IS_RECURSIVE
        shown, is_old = (_shown(searched), False) if is_new else ("", True)
        try:
            matches, reason = yield "glob", (pattern, self._paths.host(searched), shown, is_old, is_old)
        except FileError as error:
            return GlobResult(error=f"Path '{searched}': {_LS_CODES.get(str(error), error)}")
        except ValueError as error:
            return GlobResult(error=_invalid(searched, error))
        is_cut = reason is not None
        return releases.make(GlobResult, matches=matches, truncated=is_cut, truncation_reason=reason)

    if releases.WRITE_REPLACES:  # deepagents 0.7, which looks for the method to offer the tool

        def delete(self, file_path: str) -> Any:
            """Remove a file, a link, or a directory with all it holds; not the working directory itself."""
            return self._run(self._delete(file_path))

        async def adelete(self, file_path: str) -> Any:
            """Async version of `delete`."""
            return await self._arun(self._delete(file_path))

        def _delete(self, path: str) -> Generator[_Call, Any, Any]:
            from deepagents.backends.protocol import DeleteResult

            try:
                host = self._paths.entry(path)
                if host == self._paths.working_dir:
                    return DeleteResult(error=f"Error deleting file '{path}': it is the working directory")
                yield "delete", (host,)
            except FileError as error:
                if str(error) in ("file_not_found", "not_a_directory"):
                    return DeleteResult(error=f"Error: '{path}' not found")
                return DeleteResult(error=f"Error deleting file '{path}': {error}")
            except ValueError as error:
                return DeleteResult(error=_invalid(path, error))
            return DeleteResult(path=path)

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        """Write files, parents included; each one succeeds or fails by itself, none raises.

        Args:
            files: Absolute paths with their content.

        Returns:
            A response each, in order, with the path as given. `error` is None, `invalid_path`,
            `permission_denied`, `is_directory`, or the system's own words (a full disk, say).
        """
        return self._run(self._upload(files))

    async def aupload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        """Async version of `upload_files`."""
        return await self._arun(self._upload(files))

    def _upload(self, files: list[tuple[str, bytes]]) -> Generator[_Call, Any, list[FileUploadResponse]]:
        hosts = [self._host_or_none(path) for path, _ in files]
        contents = (bytes(content) for _, content in files)
        wanted = [pair for pair in zip(hosts, contents, strict=True) if pair[0] is not None]
        try:
            codes = iter((yield "upload", (wanted,)))
        except FileError as error:
            codes = itertools.repeat(str(error))
        errors = ["invalid_path" if host is None else next(codes) for host in hosts]
        return [
            FileUploadResponse(path=path, error=_UPLOAD_CODES.get(error, error))
            for (path, _), error in zip(files, errors, strict=True)
        ]

    def download_files(self, paths: list[str]) -> list[FileDownloadResponse]:
        """Read files; each one succeeds or fails by itself, none raises.

        Args:
            paths: Absolute paths.

        Returns:
            A response each, in order, with the path as given and either `content` or an `error`:
            `invalid_path`, `permission_denied`, `is_directory`, `file_not_found`, or a sentence,
            for example for a file larger than 64 MiB.
        """
        return self._run(self._download(paths))

    async def adownload_files(self, paths: list[str]) -> list[FileDownloadResponse]:
        """Async version of `download_files`."""
        return await self._arun(self._download(paths))

    def _download(self, paths: list[str]) -> Generator[_Call, Any, list[FileDownloadResponse]]:
        hosts = [self._host_or_none(path) for path in paths]
        try:
            contents = iter((yield "download", ([host for host in hosts if host is not None],)))
        except FileError as error:
            contents = itertools.repeat(str(error))
        results = ["invalid_path" if host is None else next(contents) for host in hosts]
        return [
            FileDownloadResponse(path=path, error=_DOWNLOAD_CODES.get(result, result))
            if isinstance(result, str)
            else FileDownloadResponse(path=path, content=result)
            for path, result in zip(paths, results, strict=True)
        ]

    def _host_or_none(self, path: str) -> str | None:
        """The host path that `path` means; None when it can mean none."""
        try:
            host = self._paths.host(path)
            os.fsencode(host)
        except ValueError:
            return None
        return host

    def _run(self, tool: Generator[_Call, Any, _Result]) -> _Result:
        try:
            name, arguments = next(tool)
            try:
                value = getattr(self._native(), name)(*arguments)
            except (FileError, ValueError) as error:
                tool.throw(error)
            except RuntimeError as error:
                tool.throw(FileError(str(error)))
            else:
                tool.send(value)
        except StopIteration as end:
            return cast("_Result", end.value)
        raise AssertionError("a tool makes one call")

    async def _arun(self, tool: Generator[_Call, Any, _Result]) -> _Result:
        try:
            name, arguments = next(tool)
            try:
                value = await getattr(self._native(), f"a{name}")(*arguments)
            except (FileError, ValueError) as error:
                tool.throw(error)
            except RuntimeError as error:
                tool.throw(FileError(str(error)))
            else:
                tool.send(value)
        except StopIteration as end:
            return cast("_Result", end.value)
        raise AssertionError("a tool makes one call")


def _read_result(page: FilePage) -> ReadResult:
    content = page.content
    if page.is_empty_file:
        return ReadResult(file_data=FileData(content=_EMPTY_FILE, encoding="utf-8"))
    if isinstance(content, bytes):
        encoded = base64.b64encode(content).decode("ascii")
        return ReadResult(file_data=FileData(content=encoded, encoding="base64"))
    data = FileData(content=content, encoding="utf-8")
    if page.no_lines_requested:
        return releases.make(ReadResult, file_data=data, no_lines_requested=True)
    return releases.make(
        ReadResult,
        file_data=data,
        total_lines=page.total_lines,
        start_line=page.start_line,
        end_line=page.end_line,
        next_offset=page.next_offset,
    )


def _invalid(path: str, error: ValueError) -> str:
    return f"Invalid path '{path}': {error}"


def _shown(path: str) -> str:
    """A searched directory as results begin with it."""
    return path.rstrip("/") or "/"
