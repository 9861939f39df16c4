"""A private temporary directory, whatever a sandboxed command leaves in it."""

import contextlib
import os
import shutil
import tempfile
import weakref


class PrivateDirectory:
    """A directory of mode 0700, removed by `remove()`, with the object, or when the process ends."""

    def __init__(self) -> None:
        """Make it where `tempfile` makes its own."""
        self.path = os.path.realpath(tempfile.mkdtemp(prefix="nono-"))
        self._remove = weakref.finalize(self, _remove, self.path, os.getpid())

    @property
    def exists(self) -> bool:
        """False once it was removed."""
        return self._remove.alive

    def remove(self) -> None:
        """Remove it with all it holds. May be called again."""
        self._remove()


def _remove(path: str, owner: int) -> None:
    if os.getpid() != owner:  # a fork of the process that uses it
        return
    for directory, names, _ in os.walk(path):
        for name in names:
            _open_up(os.path.join(directory, name))
    shutil.rmtree(path, ignore_errors=True)


def _open_up(path: str) -> None:
    """Make a directory removable that was left without rights; never follows a link."""
    try:
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    with contextlib.suppress(OSError):  # rmtree does what it can
        os.chmod(f"/proc/self/fd/{fd}", 0o700)
    os.close(fd)
