"""Finding what the output of a failed command says it was refused. Pure.

The text is the command's own, of any length and written to mislead. So only the end of it is looked at,
every part is bounded, and nothing found here is believed: `explanation` asks the plan about it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_TEXT = 64 * 1024
"""Bytes at the end of an output that are looked at."""
_MAX_LINE = 4096
_MAX_PATHS = 8

_REFUSAL = re.compile(
    r"permission denied(?! \((?:publickey|password|keyboard|gssapi|hostbased))(?!, please try again)"
    r"|operation not permitted|read-only file system|\beacces\b|\beperm\b|\berofs\b",
    re.IGNORECASE,
)
_WRITING = re.compile(
    r"read-only|creat(?:e|ing)\b|creat |touch|writ(?:e|ing)|mkdir|remove|unlink|rename|move |append|truncate"
    r"|overwrit|ownership|permissions of|preserving|symlink|hard link",
    re.IGNORECASE,
)
_READING = re.compile(
    r"^(?:cat|ls|grep|egrep|rg|sed|awk|head|tail|less|more|find|wc|diff|file|stat|du|tac|sort|od|xxd): "
    r"|cannot open directory|for reading|couldn't read|could not read|scandir",
    re.IGNORECASE,
)
_EXECUTING = re.compile(r"\bexec\b|execve|cannot execute|fork/exec|\bspawn(?:sync)?\b", re.IGNORECASE)
_RAISED_BY_EXEC = "child_exception_type"  # of Python's subprocess
_SHELL = re.compile(r"^\S*\b(?:ba|da|z|k)?sh: ")
_SOCKETS = re.compile(r"socket|connect|network|\bbind\b|listen|sendto|resolve", re.IGNORECASE)
# What programs say when a name cannot be looked up, or a host not be reached; the socket is never mentioned.
_NO_NETWORK = re.compile(
    r"could(?:n't| not) resolve|unable to resolve host|failure in name resolution|failure resolving"
    r"|name or service not known|no address associated with hostname|failed to lookup address"
    r"|getaddrinfo (?:enotfound|eai_again)|dial tcp: lookup |network is unreachable|\benetunreach\b",
    re.IGNORECASE,
)
_UNCONNECTED = re.compile(r"(?:failed to|couldn't|could not) connect to \S+ port \d", re.IGNORECASE)
_NAME = r"['\"]?([a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?)['\"]?(?:(?: port |, port=|:)(\d{1,5})\b)?"
_HOSTS = (
    re.compile(
        r"(?:resolve host(?:name)?:?|failure resolving|dial tcp: lookup|enotfound|eai_again|host=)\s*"
        + _NAME,
        re.IGNORECASE,
    ),
    # Before these there may be other words: what follows has to look like a host.
    re.compile(
        r"(?:connect to(?: host)?|dial tcp|eacces|eperm|enetunreach) (?=\S*\.\S|\S+(?: port |:)\d)" + _NAME,
        re.IGNORECASE,
    ),
)
_SHELLS_SOCKET = re.compile(r"/dev/(?:tcp|udp)/([^/\s]{1,253})/(\d{1,5})\b")
_QUOTED = re.compile(
    r"(?:^|(?<=[\s(\[=:,]))(?:'([^']+)'|\"([^\"]+)\"|`([^`']+)['`]|\u2018([^\u2019]+)\u2019)"
)
_ABSOLUTE = re.compile(r"(?:^|(?<=[\s(\[=<]))/[^\s)\]>,;]*")


@dataclass(frozen=True)
class Mention:
    """A refusal somewhere in a text.

    Attributes:
        paths: What may have been refused, best guess first, as it stands there.
        writing: The words speak of creating, writing, removing.
        reading: ... of reading or listing.
        executing: ... of starting a program.
        from_shell: A shell says so, of a program or of a redirection.
        network: ... of sockets, or of a host's name that could not be looked up.
        unconnected: ... of a connection that failed, for whatever reason.
        host: Which host, when the line says so.
        port: Which port of it.
    """

    paths: tuple[str, ...] = ()
    writing: bool = False
    reading: bool = False
    executing: bool = False
    from_shell: bool = False
    network: bool = False
    unconnected: bool = False
    host: str = ""
    port: str = ""


def find_mentions(text: str) -> Iterator[Mention]:
    """The refusals in `text`, the latest first: it is the likeliest reason for how the command ended."""
    lines = re.split(r"[\r\n]+", text[-MAX_TEXT:])
    for number in reversed(range(len(lines))):
        mention = _read(lines[number][-_MAX_LINE:], lines[number - 1][-_MAX_LINE:] if number else "")
        if mention:
            yield mention


def _read(line: str, before: str) -> Mention | None:
    """What one line says; a traceback names the refused call on the line before its error."""
    refusal = _REFUSAL.search(line)
    named = next(filter(None, (pattern.search(line) for pattern in _HOSTS)), None)
    host, port = (named[1], named[2] or "") if named else ("", "")
    if refusal and (socket := _SHELLS_SOCKET.search(line)):
        return Mention(network=True, host=socket[1], port=socket[2])
    if _NO_NETWORK.search(line):
        return Mention(network=True, host=host, port=port)
    if refusal is None:
        return Mention(unconnected=True, host=host, port=port) if _UNCONNECTED.search(line) else None
    paths = tuple(dict.fromkeys(_paths(line, refusal.start())))[:_MAX_PATHS]
    words = line
    for path in paths:
        if "/" in path:  # a name is no word about it
            words = words.replace(path, "")
    return Mention(
        paths=paths,
        writing=bool(_WRITING.search(words)),
        reading=bool(_READING.search(words)),
        executing=bool(_EXECUTING.search(words)) or _RAISED_BY_EXEC in before,
        from_shell=bool(_SHELL.match(line)),
        network=bool(_SOCKETS.search(words) or (not paths and _SOCKETS.search(before))),
        host=host,
        port=port,
    )


def _paths(line: str, refusal: int) -> Iterator[str]:
    """Quoted words, the one beside the refusal, and words that begin with a slash."""
    for quoted in _QUOTED.finditer(line):
        yield next(filter(None, quoted.groups()))
    # "cat: /etc/shadow: Permission denied", "sh: 1: cannot create out.txt: Permission denied"
    if line[:refusal].endswith(": "):
        part = line[: refusal - 2].rsplit(": ", 1)[-1].strip()
        if part.startswith("/") or " " not in part:
            yield part
        yield part.rsplit(" ", 1)[-1]
    for word in _ABSOLUTE.findall(line):
        yield word.rstrip(":.'\"")
