"""Files in and out of the granted directories, without a process.

This code runs outside the sandbox with the caller's rights, next to sandboxed commands that may
rename anything in their directories at any moment. So every root is held by a descriptor from the
start, and a file is reached one component at a time, each opened relative to the directory before
it and never through a link: wherever a name is made to point, the walk cannot leave its root.
Links that were there before stay usable, because the path is resolved first; only its result is
walked. Files other than regular ones are refused, and opening one never waits for its other end.
"""

import contextlib
import errno
import os
import stat
import weakref
from collections.abc import Callable, Iterable

from langchain_nono.paths import resolve, within

DOWNLOAD_LIMIT = 64 * 1024 * 1024
"""Largest file, in bytes, that is read into memory."""

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

_CODES = {
    errno.EACCES: "permission_denied",
    errno.EISDIR: "is_directory",
    errno.ELOOP: "permission_denied",  # a link appeared where none was
    errno.ENAMETOOLONG: "invalid_path",
    errno.ENOENT: "file_not_found",
    errno.ENXIO: "permission_denied",  # a socket, or a FIFO that nobody reads
    errno.EPERM: "permission_denied",
    errno.EROFS: "permission_denied",
}


class TransferError(Exception):
    """A transfer that was refused or failed; `code` is a `FileOperationError` or a short sentence."""

    def __init__(self, code: str) -> None:
        """Keep the code as the message too."""
        super().__init__(code)
        self.code = code


class _Root:
    """A granted directory, or a single granted file below a directory of its own."""

    def __init__(self, path: str) -> None:
        """Open the root; OSError when it cannot be."""
        self.path = path
        self.is_file = not os.path.isdir(path)
        self._directory = os.path.dirname(path) if self.is_file else path
        self._fd = os.open(self._directory, _DIRECTORY)
        self.close = weakref.finalize(self, os.close, self._fd)

    def walk(self, path: str, *, make_parents: bool) -> tuple[int, str]:
        """A new descriptor of the parent directory of `path`, which is in this root, and the last name."""
        fd = os.dup(self._fd)
        try:
            if not os.path.samestat(os.fstat(fd), os.stat(self._directory)):
                raise TransferError("the granted directory was replaced by another one")
            relative = os.path.relpath(path, self._directory)
            if relative == ".":
                raise TransferError("is_directory")
            *parents, name = relative.split("/")
            for parent in parents:
                inner = _enter(fd, parent, make=make_parents)
                os.close(fd)
                fd = inner
        except BaseException:
            os.close(fd)
            raise
        return fd, name


class Transfer:
    """Reads and writes whole files in granted roots. Safe to use from several threads at once."""

    def __init__(
        self,
        readable: Iterable[str],
        writable: Iterable[str],
        is_denied: Callable[[str, bool], bool] = lambda _path, _writing: False,
    ) -> None:
        """Hold every root by descriptor.

        Args:
            readable: Real paths of directories (or single files) that may be read.
            writable: The same for writing; one may be in both.
            is_denied: Whether a real path is closed although its root is not; asked with True for writing.
        """
        self._is_denied = is_denied
        self._roots: dict[str, _Root] = {}
        self._readable: list[_Root] = []
        self._writable: list[_Root] = []
        try:
            for paths, roots in ((readable, self._readable), (writable, self._writable)):
                for path in sorted(set(paths), key=len):  # outermost first: the truest to a path's name
                    if path not in self._roots:
                        self._roots[path] = _Root(path)
                    roots.append(self._roots[path])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the descriptors; every later call is refused. May be called again."""
        while self._roots:
            self._roots.popitem()[1].close()
        self._readable.clear()
        self._writable.clear()

    def may_write(self, path: str) -> bool:
        """Whether `path` now resolves to a place in a writable root. No promise for later."""
        real = resolve(path)
        return any(_contains(root, real) for root in self._writable) and not self._is_denied(real, True)

    def read(self, path: str) -> bytes:
        """The content of the regular file at the absolute `path`.

        Raises:
            TransferError: Refused or failed, or the file is larger than `DOWNLOAD_LIMIT`.
            ValueError: The path contains a NUL byte, is not encodable, or does not hold still.
        """
        fd = self._open(path, self._readable, os.O_RDONLY)
        try:
            return _read(fd)
        finally:
            os.close(fd)

    def write(self, path: str, content: bytes) -> None:
        """Make `content` the whole of the file at the absolute `path`, with its parents if missing.

        An existing file is written in place and so keeps its mode, owner and hard links. Raises as `read`.
        """
        fd = self._open(path, self._writable, os.O_WRONLY | os.O_CREAT)
        try:
            _replace(fd, content)
        finally:
            os.close(fd)

    def rewrite(self, path: str, change: Callable[[bytes], bytes]) -> None:
        """Replace the content of an existing file by what `change` makes of it.

        The root has to be readable as well as writable. Raises as `read`, and what `change` raises,
        which leaves the file as it was.
        """
        both = [root for root in self._writable if root in self._readable]
        fd = self._open(path, both, os.O_RDWR)
        try:
            _replace(fd, change(_read(fd)))
        finally:
            os.close(fd)

    def _open(self, path: str, roots: list[_Root], flags: int) -> int:
        real = resolve(path)
        root = next((root for root in roots if _contains(root, real)), None)
        access = flags & os.O_ACCMODE
        closed = (access != os.O_WRONLY and self._is_denied(real, False)) or (
            access != os.O_RDONLY and self._is_denied(real, True)
        )
        if root is None or closed:
            raise TransferError("permission_denied")
        try:
            parent, name = root.walk(real, make_parents=bool(flags & os.O_CREAT))
            try:
                fd = os.open(name, flags | _FILE, 0o666, dir_fd=parent)
            finally:
                os.close(parent)
        except OSError as error:
            raise _refusal(error, missing=not flags & os.O_CREAT) from error
        try:
            _check(fd, flags)
        except BaseException:
            os.close(fd)
            raise
        return fd


def _contains(root: _Root, real: str) -> bool:
    return real == root.path if root.is_file else within(real, root.path)


def _enter(directory: int, name: str, *, make: bool) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=directory)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):  # another upload made it
        os.mkdir(name, dir_fd=directory)
    return os.open(name, _DIRECTORY, dir_fd=directory)


def _check(fd: int, flags: int) -> None:
    """Refuse what is not a regular file, and modes that say no even where root is asked."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISDIR(mode):
        raise TransferError("is_directory")
    access = flags & os.O_ACCMODE
    unreadable = access != os.O_WRONLY and not mode & 0o444
    read_only = access != os.O_RDONLY and not mode & 0o222
    if not stat.S_ISREG(mode) or unreadable or read_only:
        raise TransferError("permission_denied")


def _read(fd: int) -> bytes:
    content = bytearray()
    while chunk := os.read(fd, 1 << 20):
        content += chunk
        if len(content) > DOWNLOAD_LIMIT:
            raise TransferError(f"file is larger than {DOWNLOAD_LIMIT // 1024 // 1024} MiB")
    return bytes(content)


def _replace(fd: int, content: bytes) -> None:
    try:
        os.ftruncate(fd, 0)
        rest = memoryview(content)
        offset = 0
        while rest:
            written = os.pwrite(fd, rest, offset)
            rest, offset = rest[written:], offset + written
    except OSError as error:
        raise _refusal(error, missing=False) from error


def _refusal(error: OSError, *, missing: bool) -> TransferError:
    number = error.errno or 0
    if number == errno.ENOTDIR:  # a file, or a planted link, where a directory should be
        return TransferError("file_not_found" if missing else "permission_denied")
    return TransferError(_CODES.get(number) or os.strerror(number).lower())
