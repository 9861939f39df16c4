"""What needs no kernel: sentences, output, paths."""

import pytest

from langchain_nono import describe_execute_failure, describe_file_transfer_error
from langchain_nono.output import combine
from langchain_nono.paths import PathMap, within


@pytest.mark.parametrize(
    ("exit_code", "output", "sentence"),
    [
        (0, "Operation not permitted", None),
        (1, "x: Operation not permitted", "access denied by sandbox policy"),
        (1, "cat: /etc/passwd: Permission denied", "access denied by sandbox policy"),
        (1, "touch: /x: Read-only file system", "access denied by sandbox policy"),
        (124, "", "command timed out"),
        (2, "\n<stderr>bad</stderr>", "command failed inside sandbox"),
        (3, "plain", "command failed with exit code 3"),
        (1, "Error: EACCES, open '/x'", "access denied by sandbox policy"),
        (124, "x: Operation not permitted", "access denied by sandbox policy"),
        (124, "cat: /x: Permission denied", "command timed out"),
        (124, "curl: (6) Could not resolve host: x", "command timed out"),
        (126, "bash: ./x: Permission denied", "command failed with exit code 126"),
        (126, "\n<stderr>nono: /x: Permission denied</stderr>", "command failed inside sandbox"),
        (128, "git@x: Permission denied (publickey).", "command failed with exit code 128"),
        (6, "curl: (6) Could not resolve host: x", "network access denied by sandbox policy"),
        (1, "ping: x: Temporary failure in name resolution", "network access denied by sandbox policy"),
        (2, "connect: Network is unreachable", "network access denied by sandbox policy"),
        (126, "x\n[nono] /x: executing is not granted here; readable: /a", "access denied by sandbox policy"),
        (1, "[nono] /x: neither reading nor writing is granted here; x", "access denied by sandbox policy"),
        (124, "x\n[nono] h:1: connecting is not granted here; x", "network access denied by sandbox policy"),
        (124, "[nono] h:1: connecting is not granted here; x\nmore", "command timed out"),
    ],
)
def test_execute_failures_are_described(exit_code: int, output: str, sentence: str | None) -> None:
    assert describe_execute_failure(exit_code, output) == sentence


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (None, "ok"),
        ("permission_denied", "access denied by sandbox policy"),
        ("file_not_found", "path is allowed, but the file does not exist"),
        ("is_directory", "expected a file but got a directory"),
        ("invalid_path", "expected an absolute path"),
        ("no space left on device", "no space left on device"),
    ],
)
def test_transfer_errors_are_described(error: str | None, sentence: str) -> None:
    assert describe_file_transfer_error(error) == sentence


def test_streams_are_joined_with_a_tag() -> None:
    assert combine(b"out\n", b"  err \n", 1000) == ("out\n\n<stderr>err</stderr>", False)
    assert combine(b"out", b" \n ", 1000) == ("out", False)
    assert combine(b"\xff", b"", 1000) == ("\ufffd", False)


@pytest.mark.parametrize("limit", range(1, 80))
def test_output_is_cut_by_bytes_on_character_borders(limit: int) -> None:
    whole = "ä€𐍈" * 10
    text, truncated = combine(whole.encode(), b"", limit)
    assert truncated
    assert len(text.encode()) <= limit < len(text.encode()) + 4
    assert whole.startswith(text)


def test_output_of_exactly_the_limit_is_whole() -> None:
    assert combine("ää".encode(), b"", 4) == ("ää", False)


def test_stderr_tail_survives_truncation() -> None:
    text, truncated = combine(b"x" * 5000, b"y" * 5000 + b" the last words", 200)
    assert truncated
    assert text.endswith(" the last words</stderr>")
    assert len(text.encode()) == 200
    text, _ = combine(b"x" * 5000, b"short", 200)
    assert text.endswith("\n<stderr>short</stderr>")


@pytest.mark.parametrize("limit", range(20, 60))
def test_multibyte_stderr_cut_never_raises(limit: int) -> None:
    text, truncated = combine("é".encode() * 100, "€".encode() * 100, limit)
    assert truncated
    assert len(text.encode()) <= limit


def test_containment_is_by_components() -> None:
    assert within("/a/b", "/a") and within("/a", "/a") and within("/a", "/")
    assert not within("/ab", "/a")


def test_virtual_paths_mean_the_workspace() -> None:
    paths = PathMap("/ws", ["/ws", "/data"], artifacts="/private", virtual=True)
    assert [paths.host(path) for path in ("/", "/x/y", "//x/", "/ws/x", "/data/x")] == [
        "/ws",
        "/ws/x/y",
        "/ws/x",
        "/ws/x",
        "/data/x",
    ]
    assert paths.host(paths.host("/x")) == "/ws/x"
    for bad in ("x", "", "/../x", "/a/../../x", "/a\0b"):
        with pytest.raises(ValueError):
            paths.host(bad)


@pytest.mark.parametrize("virtual", [False, True])
def test_what_deepagents_writes_itself_has_a_place_of_its_own(virtual: bool) -> None:
    paths = PathMap("/ws", ["/ws"], artifacts="/private", virtual=virtual)
    assert paths.host("/blobs/x") == paths.host("//blobs//y/../x") == "/private/blobs/x"
    assert paths.host("/large_tool_results") == "/private/large_tool_results"
    for other in ("/blobs2/x", "/ws/blobs/x"):
        assert not paths.host(other).startswith("/private")
    granted = PathMap("/ws", ["/ws", "/blobs"], artifacts="/private", virtual=virtual)
    assert granted.host("/blobs/x") == "/blobs/x"
