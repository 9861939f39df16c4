"""Short sentences for a user, made from what the sandbox answered."""

_DENIALS = ("Operation not permitted", "Permission denied", "Read-only file system")

_TRANSFER_ERRORS = {
    "permission_denied": "access denied by sandbox policy",
    "file_not_found": "path is allowed, but the file does not exist",
    "is_directory": "expected a file but got a directory",
    "invalid_path": "expected an absolute path",
}


def describe_execute_failure(exit_code: int, output: str) -> str | None:
    """Say why a command failed.

    Args:
        exit_code: As in `ExecuteResponse.exit_code`; 124 is a timeout.
        output: As in `ExecuteResponse.output`.

    Returns:
        None when the command succeeded. The wording of a denial is a guess from the output: the
        command itself may have printed it.
    """
    if exit_code == 0:
        return None
    if any(denial in output for denial in _DENIALS):
        return "access denied by sandbox policy"
    if exit_code == 124:
        return "command timed out"
    if "<stderr>" in output:
        return "command failed inside sandbox"
    return f"command failed with exit code {exit_code}"


def describe_file_transfer_error(error: str | None) -> str:
    """Say what the `error` of an upload or download means; an unknown one is returned as it is."""
    return "ok" if error is None else _TRANSFER_ERRORS.get(error, error)
