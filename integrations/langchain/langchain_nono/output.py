"""One text from the two output streams of a command, bounded in bytes."""

from collections.abc import Callable

_OPEN, _CLOSE = "\n<stderr>", "</stderr>"
_GAP = "\n[nono: output dropped here]\n"


def combine(stdout: bytes, stderr: bytes, limit: int) -> tuple[str, bool]:
    """Join both streams the way agents read them: stdout, then stderr in a tag of its own line.

    Bytes that are not UTF-8 become U+FFFD. Of an output over `limit` the head of stdout and the
    tail of stderr stay, because the tail is where a program says what went wrong; stderr may take
    half of the limit even when stdout fills it. A character is never cut in two.

    Args:
        stdout: What the command wrote to file descriptor 1.
        stderr: What it wrote to file descriptor 2; blank edges are dropped, blank as a whole is nothing.
        limit: Upper bound of the text in UTF-8 bytes, tags included.

    Returns:
        The text, and whether something was left out.
    """
    head = stdout.decode("utf-8", "replace")
    tail = stderr.decode("utf-8", "replace").strip()
    head_size, tail_size = len(head.encode()), len(tail.encode())
    tags = len(_OPEN) + len(_CLOSE) if tail else 0
    if head_size + tail_size + tags <= limit:
        return head + (_OPEN + tail + _CLOSE if tail else ""), False

    room = max(limit - head_size, limit // 2) - tags
    if tail and room > 0:
        tail = last(tail, room)
        tagged = _OPEN + tail + _CLOSE
        return _first(head, limit - len(tagged.encode())) + tagged, True
    return _first(head, limit), True


def ends_of(output: bytes, limit: int) -> tuple[str, bool]:
    """Both streams in one, as they were written; over `limit` both ends stay, with a line between them.

    Args:
        output: What the command wrote; not UTF-8 becomes U+FFFD.
        limit: Upper bound of the text in UTF-8 bytes, the line included.

    Returns:
        The text, and whether something was left out.
    """
    text = output.decode("utf-8", "replace")
    if len(text.encode()) <= limit:
        return text, False
    room = limit - len(_GAP)
    if room <= 0:
        return last(text, limit), True
    return _first(text, room // 2) + _GAP + last(text, room - room // 2), True


def with_last_line(join: Callable[[int], tuple[str, bool]], line: str, limit: int) -> tuple[str, bool]:
    """A text with a line of its own at the end.

    Args:
        join: Gives the text for a limit, as `combine` does.
        line: Without a line end. It is left out where it would take more than half of the limit.
        limit: Upper bound of both together in UTF-8 bytes.

    Returns:
        The text, and whether `join` left something out of it.
    """
    room = len(line.encode()) + 1
    if 2 * room > limit:
        return join(limit)
    text, cut = join(limit - room)
    return text + ("\n" if text and not text.endswith("\n") else "") + line, cut


def _first(text: str, size: int) -> str:
    return text.encode()[: max(size, 0)].decode("utf-8", "ignore")


def last(text: str, size: int) -> str:
    """The end of a text, that many UTF-8 bytes at most."""
    encoded = text.encode()
    return encoded[max(len(encoded) - size, 0) :].decode("utf-8", "ignore")
