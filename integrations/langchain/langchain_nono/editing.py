"""The edit tool's replacement, on bytes: literal, and true to the line endings of the file."""


class EditError(Exception):
    """An edit that cannot be made; the message is a code of `describe`."""


EMPTY_OLD_STRING = "Error: old_string cannot be empty. Provide the exact text to replace."


def replace(raw: bytes, old: str, new: str, *, replace_all: bool) -> tuple[bytes, int]:
    """Replace `old` by `new` in the text `raw`.

    Agents see CRLF as LF, so `old` is looked for as given, then with CRLF, then with LF line ends;
    the first that occurs decides, and `new` gets the same line ends.

    Args:
        raw: The file, UTF-8.
        old: Text to look for, not empty.
        new: Text to put there.
        replace_all: Replace every occurrence; otherwise there must be exactly one.

    Returns:
        The new content, and how many occurrences there were.

    Raises:
        EditError: `not_a_text_file`, `string_not_found`, `multiple_occurrences`, or a sentence.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise EditError("not_a_text_file") from None
    for ends in (_as_given, _crlf, _lf):
        count = text.count(ends(old))
        if count > 1 and not replace_all:
            raise EditError("multiple_occurrences")
        if count:
            return _encode(text.replace(ends(old), ends(new))), count
    raise EditError("string_not_found")


def describe(code: str, path: str, old: str) -> str:
    """The sentence that agents know for an error code of an edit or of a file transfer."""
    return {
        "file_not_found": f"Error: File '{path}' not found",
        "permission_denied": f"Error: Permission denied editing file '{path}'",
        "is_directory": f"Error: '{path}' is not a regular file",
        "not_a_text_file": f"Error: File '{path}' is not a text file",
        "string_not_found": f"Error: String not found in file: '{old}'",
        "multiple_occurrences": (
            f"Error: String '{old}' appears multiple times. Use replace_all=True to replace all occurrences."
        ),
    }.get(code, f"Error editing file '{path}': {code}")


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise EditError("new_string is not valid Unicode") from None


def _as_given(text: str) -> str:
    return text


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n")


def _crlf(text: str) -> str:
    return _lf(text).replace("\n", "\r\n")
