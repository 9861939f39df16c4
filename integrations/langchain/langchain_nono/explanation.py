"""One line that says why a command failed, when the sandbox was the reason.

What the command printed leads here and is a stranger's text; what the line says comes from the plan
that the kernel was given. What the plan grants is never said to be refused, and where nothing is
known there is no line.
"""

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from nono_py import AccessMode, CapabilitySet, QueryContext

from langchain_nono.paths import within_any
from langchain_nono.refusals import MAX_TEXT, Mention, find_mentions

_TIMEOUT = 124
_NOT_EXECUTED = 126
_MAX_MENTIONS = 16
_MAX_PATH = 1024
_SHOWN = 200
_SHOWN_ROOTS = 4

_READING, _WRITING, _EITHER = (
    "reading is not granted",
    "writing is not granted",
    "neither reading nor writing is granted",
)
_EXECUTING, _CONNECTING = "executing is not granted", "connecting is not granted"

_CHANGES_DIRECTORY = re.compile(r"\b(?:cd|pushd|popd|chdir)\b")
_STARTS_IN = re.compile(r"\s*cd\s+(['\"]?)([^\s;&|'\"$`*?~]+)\1\s*&&")
_URL = re.compile(r"\bhttps?://([a-z0-9_.-]{1,253})(?::(\d{1,5}))?(?=[/\s'\"]|$)", re.IGNORECASE)


class Explainer:
    """Explains the failures of one sandbox's commands. For any thread."""

    def __init__(
        self,
        caps: CapabilitySet,
        *,
        working_dir: str,
        readable: Iterable[str],
        writable: Iterable[str],
        names: dict[str, str],
        hides_outside: bool,
    ) -> None:
        """Keep what the plan is asked about.

        Args:
            caps: What commands are granted.
            working_dir: Where commands start.
            readable: The directories to name as readable; the system's files need not be among them.
            writable: The directories to name as writable.
            names: What to call some of those, by path: `$HOME`, say.
            hides_outside: What is not granted is not there for commands: say nothing of whether it is.
        """
        self._query = QueryContext(caps)
        self._sockets = [shown(grant.resolved) for grant in caps.unix_sockets]
        self._granted_sockets = [(grant.resolved, grant.scope) for grant in caps.unix_sockets]
        self._working_dir = working_dir
        self._roots = f"readable: {_list(readable, names)}, system files; writable: {_list(writable, names)}"
        self._seen = [path for grant in caps.fs_capabilities() for path in (grant.resolved, grant.original)]
        self._hides_outside = hides_outside

    def explain(self, command: str, exit_code: int, stdout: bytes, stderr: bytes) -> str | None:
        """The line for a command that ended so; None when it has nothing to say.

        Returns:
            `[nono] PATH: WHAT is not granted here; ...` without a line end: printable, at most about
            2,000 characters.
        """
        is_own_reason = exit_code == _NOT_EXECUTED and (stderr or stdout).startswith(b"nono: ")
        if exit_code == 0 or is_own_reason:
            return None
        texts = (stream[-MAX_TEXT:].decode("utf-8", "surrogateescape") for stream in (stderr, stdout))
        mentions = (mention for text in texts for mention in islice(find_mentions(text), _MAX_MENTIONS))
        for mention in mentions:
            is_about_files = False
            for text in mention.paths:
                path = self._absolute(text, mention, command)
                if path is None:
                    continue
                is_about_files |= self._mode(path) is not None
                if exit_code == _TIMEOUT:  # not for a refused file, but perhaps for a network without answers
                    continue
                if line := self._explain_path(path, mention, exit_code, _is_redirected_to(text, command)):
                    return line
            if is_about_files or not (mention.network or mention.unconnected):
                continue
            if line := self._explain_network(mention, command):
                return line
        return None

    def _explain_path(self, path: str, mention: Mention, exit_code: int, is_redirected: bool) -> str | None:
        mode = self._mode(path)
        if mode is not None and stat.S_ISSOCK(mode):
            return self._explain_socket(path)
        asked = self._asked(path, mode, mention, exit_code, is_redirected)
        if asked is None:
            return None
        answer = self._answer(path, AccessMode.WRITE if asked == _WRITING else AccessMode.READ)
        if answer.get("protected_by"):
            why = f", the name is protected ({answer['protected_by']}); reading is"
        elif answer.get("reason") == "denied_path":
            why = f", it is denied ({shown(answer['denied_path'])})"
        else:
            why = f"; {self._roots}"
        return f"[nono] {shown(path)}: {asked} here{why}"

    def _asked(
        self, path: str, mode: int | None, mention: Mention, exit_code: int, is_redirected: bool
    ) -> str | None:
        """What was asked for and is not granted: a guess where more than one thing is not."""
        may_read = self._answer(path, AccessMode.READ)["status"] == "allowed"
        may_write = self._answer(path, AccessMode.WRITE)["status"] == "allowed"
        is_program = mention.executing or (exit_code == _NOT_EXECUTED and mention.from_shell)
        if is_program and not is_redirected:
            return None if may_read else _EXECUTING
        if mention.reading and not is_redirected:
            return None if may_read else _READING
        if mention.writing or is_redirected or self._is_absent(path):
            return None if may_write else _WRITING
        if not may_read:
            return _READING if may_write else _EITHER
        # Readable, so it was something else. Writing? Not where its permissions may have refused it.
        if may_write or mode is None or not stat.S_ISREG(mode) or not os.access(path, os.R_OK):
            return None
        return None if mention.from_shell and not os.access(path, os.X_OK) else _WRITING

    def _explain_socket(self, path: str) -> str | None:
        real = os.path.realpath(path)
        if self._answer(path, AccessMode.WRITE)["status"] == "allowed":  # perhaps one that was made inside
            return None
        for granted, scope in self._granted_sockets:
            parent = os.path.dirname(real) if scope == "dir_children" else real
            if parent == granted or (scope == "dir_subtree" and within_any(real, [granted])):
                return None
        sockets = ", ".join(self._sockets[:_SHOWN_ROOTS]) or "none"
        return f"[nono] {shown(path)}: {_CONNECTING} here; Unix sockets of others: {sockets}"

    def _explain_network(self, mention: Mention, command: str) -> str | None:
        answer = self._query.query_network()
        if answer["status"] == "allowed" or (mention.unconnected and "unix" in command):
            return None
        host, port = mention.host, mention.port
        if not host and len(urls := set(_URL.findall(command[:_MAX_PATH]))) == 1:
            host, port = urls.pop()
        name = f"{host}{f':{port}' if port else ''}" if host else "any host"
        ports = ", ".join(map(str, answer.get("tcp_connect_ports", [])))
        granted = f"TCP port {ports}" if ports else "none"
        return f"[nono] {name}: {_CONNECTING} here; network: {granted}"

    def _absolute(self, text: str, mention: Mention, command: str) -> str | None:
        """The path that `text` means, if it is one."""
        if not text or len(text) > _MAX_PATH or "\0" in text:
            return None
        if self._hides_outside and ".." in text.split("/"):
            return None
        if text.startswith("/"):
            return os.path.normpath(text) if ".." not in text.split("/") else text
        directory = self._working_dir
        rest = command
        if start := _STARTS_IN.match(command):
            directory, rest = os.path.join(directory, start[2]), command[start.end() :]
        if _CHANGES_DIRECTORY.search(rest):
            return None
        path = os.path.join(directory, text)
        # A word that is no path looks like a relative one: believe it only where it names something.
        is_believed = mention.writing or _is_redirected_to(text, command) or self._mode(path) is not None
        return path if is_believed else None

    def _answer(self, path: str, mode: AccessMode) -> Mapping[str, Any]:
        if self._hides_outside and not within_any(path, self._seen):
            return {"status": "denied", "reason": "path_not_granted"}
        return self._query.query_path(path, mode)

    def _mode(self, path: str) -> int | None:
        """Type and permissions of what is there, as far as the command may know."""
        if self._hides_outside and not within_any(path, self._seen):
            return None
        with contextlib.suppress(OSError, ValueError):
            return os.stat(path).st_mode
        return None

    def _is_absent(self, path: str) -> bool:
        """Whether there is certainly nothing, so that only making it can have been refused."""
        if self._hides_outside and not within_any(path, self._seen):
            return False
        try:
            os.lstat(path)
        except FileNotFoundError:
            return True
        except (OSError, ValueError):
            pass
        return False


def shown(text: str) -> str:
    """`text` bounded and printable, on one line; quoted where its end might not be clear."""
    plain = "".join(map(_escaped, text[:_SHOWN])) + ("..." if len(text) > _SHOWN else "")
    return f"'{plain}'" if re.search(r"[^\w/.@%+~:*?{}$\\=-]", plain) else plain


def _escaped(character: str) -> str:
    if character.isprintable() and character != "'":
        return character
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return "\\'" if character == "'" else character.encode("unicode_escape", "backslashreplace").decode()


def _list(paths: Iterable[str], names: dict[str, str]) -> str:
    unique = list(dict.fromkeys(names.get(path) or shown(path) for path in paths))
    more = [f"{len(unique) - _SHOWN_ROOTS} more"] if len(unique) > _SHOWN_ROOTS else []
    return ", ".join(unique[:_SHOWN_ROOTS] + more) or "nothing"


def _is_redirected_to(text: str, command: str) -> bool:
    """Whether the command seems to write its output to the path that stands there as `text`."""
    return bool(re.search(rf">\|?\s*(['\"]?){re.escape(text)}\1(?:[\s;&|)]|$)", command))
