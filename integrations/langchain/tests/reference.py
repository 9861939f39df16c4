"""The file tools in plain Python: what they are to answer, without a thought about speed or safety.

The tree that they work on is one that nobody else changes. An error of which no contract gives the
words is the word `error`.
"""

import base64
import codecs
import os
import shutil
from pathlib import Path, PurePosixPath
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
from releases import WRITE_REPLACES, shape
from wcmatch import glob as wildcards

IMAGES = (".png",)
FLAGS = wildcards.BRACE | wildcards.GLOBSTAR
UNKNOWN = "error"


def chosen(pattern: str | None, relative: str) -> bool:
    """Whether a pattern chooses a file, by its path below where the search started."""
    if pattern is None:
        return True
    name = relative if "/" in pattern else PurePosixPath(relative).name
    return bool(wildcards.globmatch(name, pattern.lstrip("/"), flags=FLAGS))


class Reference:
    """The methods of a backend, on absolute paths of the host."""

    def ls(self, path: str) -> LsResult:
        if error := self._not_a_directory(path):
            return LsResult(error=error)
        entries = []
        for name in sorted(os.listdir(path), key=os.fsencode):
            each = os.path.join(path, name)
            is_dir = os.path.isdir(each)
            size = 0 if is_dir else os.path.getsize(each)
            entries.append({"path": each, "is_dir": is_dir, "size": size})
        return LsResult(entries=entries)

    def read(self, file_path: str, offset: int = 0, limit: int = 2000) -> ReadResult:
        if not os.path.exists(file_path):
            return ReadResult(error=f"File '{file_path}': file_not_found")
        if not os.path.isfile(file_path):
            return ReadResult(error=f"File '{file_path}': not_a_file")
        raw = Path(file_path).read_bytes()
        if not raw:
            return self._text("System reminder: File exists but has empty contents")
        if file_path.endswith(IMAGES) or not self._is_text(raw[:8192]):
            data = {"content": base64.b64encode(raw).decode(), "encoding": "base64"}
            return ReadResult(file_data=data)
        offset = max(offset, 0)
        if limit <= 0:
            return self._text("", no_lines_requested=True)
        lines = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        if not lines[-1]:
            lines.pop()
        page = lines[offset : offset + limit]
        if not page:
            reason = f"Line offset {offset} exceeds file length ({len(lines)} lines)"
            return ReadResult(error=f"File '{file_path}': {reason}")
        end = offset + len(page)
        return self._text(
            "\n".join(page),
            total_lines=len(lines),
            start_line=offset + 1,
            end_line=end,
            next_offset=end if end < len(lines) else None,
        )

    def write(self, file_path: str, content: str) -> WriteResult:
        if os.path.isdir(file_path) or (os.path.exists(file_path) and not WRITE_REPLACES):
            return WriteResult(error=UNKNOWN)
        self._put(file_path, content.encode())
        return WriteResult(path=file_path)

    def edit(self, file_path: str, old_string: str, new_string: str, replace_all: bool = False) -> EditResult:
        if not old_string:
            sentence = "Error: old_string cannot be empty. Provide the exact text to replace."
            return EditResult(error=sentence)
        if not os.path.exists(file_path):
            return EditResult(error=f"Error: File '{file_path}' not found")
        if not os.path.isfile(file_path):
            return EditResult(error=f"Error: '{file_path}' is not a regular file")
        raw = Path(file_path).read_bytes()
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return EditResult(error=f"Error: File '{file_path}' is not a text file")
        lf = [each.replace("\r\n", "\n") for each in (old_string, new_string)]
        crlf = [each.replace("\n", "\r\n") for each in lf]
        for old, new in ((old_string, new_string), crlf, lf):
            count = text.count(old)
            if count > 1 and not replace_all:
                return EditResult(
                    error=f"Error: String '{old_string}' appears multiple times. "
                    "Use replace_all=True to replace all occurrences."
                )
            if count:
                self._put(file_path, text.replace(old, new).encode())
                return EditResult(path=file_path, occurrences=count)
        return EditResult(error=f"Error: String not found in file: '{old_string}'")

    def delete(self, file_path: str) -> Any:
        from deepagents.backends.protocol import DeleteResult  # since 0.7

        if os.path.isdir(file_path):
            shutil.rmtree(file_path)
        elif os.path.exists(file_path):
            os.unlink(file_path)
        else:
            return DeleteResult(error=f"Error: '{file_path}' not found")
        return DeleteResult(path=file_path)

    def grep(
        self, pattern: str, path: str, glob: str | None = None, *, max_count: int | None = None
    ) -> GrepResult:
        if not os.path.exists(path):
            return GrepResult(error=UNKNOWN)
        files = [path] if os.path.isfile(path) else self._files(path, glob)
        matches = []
        for file in files:
            raw = Path(file).read_bytes()
            if b"\0" in raw:
                continue
            for number, line in enumerate(raw.decode("utf-8", "replace").split("\n"), 1):
                if pattern in line:
                    matches.append({"path": file, "line": number, "text": line})
        cut = max_count is not None and len(matches) > max_count
        return shape(GrepResult, matches=matches[:max_count] if cut else matches, truncated=cut)

    def glob(self, pattern: str, path: str) -> GlobResult:
        if error := self._not_a_directory(path):
            return GlobResult(error=error)
        if ".." in pattern.split("/"):
            return GlobResult(error=UNKNOWN)
        files = self._files(path, pattern, skipped=())
        return GlobResult(
            matches=[{"path": file, "is_dir": False, "size": os.path.getsize(file)} for file in files]
        )

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        responses = []
        for path, content in files:
            error = "is_directory" if os.path.isdir(path) else None
            if not error:
                self._put(path, content)
            responses.append(FileUploadResponse(path=path, error=error))
        return responses

    def download_files(self, paths: list[str]) -> list[FileDownloadResponse]:
        responses = []
        for path in paths:
            if os.path.isfile(path):
                responses.append(FileDownloadResponse(path=path, content=Path(path).read_bytes()))
            else:
                error = "is_directory" if os.path.isdir(path) else "file_not_found"
                responses.append(FileDownloadResponse(path=path, error=error))
        return responses

    def _files(self, root: str, pattern: str | None, skipped: tuple[str, ...] = (".git",)) -> list[str]:
        """The regular files below a directory that a pattern chooses, by the bytes of their paths."""
        found = []
        for directory, names, files in os.walk(root):
            names[:] = [name for name in names if name not in skipped]
            paths = [os.path.join(directory, name) for name in files]
            found += [path for path in paths if chosen(pattern, os.path.relpath(path, root))]
        return sorted(found, key=os.fsencode)

    def _not_a_directory(self, path: str) -> str | None:
        if not os.path.exists(path):
            return f"Path '{path}': path_not_found"
        return None if os.path.isdir(path) else f"Path '{path}': not_a_directory"

    def _put(self, path: str, content: bytes) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).write_bytes(content)

    def _text(self, content: str, **window: Any) -> ReadResult:
        return shape(ReadResult, file_data={"content": content, "encoding": "utf-8"}, **window)

    def _is_text(self, raw: bytes) -> bool:
        """A character that is cut off at the end is no reason to call a file binary."""
        try:
            codecs.getincrementaldecoder("utf-8")().decode(raw, final=False)
        except UnicodeDecodeError:
            return False
        return True
