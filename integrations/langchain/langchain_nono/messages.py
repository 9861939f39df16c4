"""Short sentences for a user, made from what the sandbox answered."""

import re

_TIMEOUT, _NOT_EXECUTED = 124, 126
_NO_ACCESS = "access denied by sandbox policy"
_NO_NETWORK = "network access denied by sandbox policy"

# Other things that say so: ssh of its keys, and what is not executable whoever asks.
_DENIALS = re.compile(
    r"Permission denied(?! \((?:publickey|password|keyboard|gssapi|hostbased))(?!, please try again)"
    r"|Read-only file system|\bEACCES\b|\bEPERM\b|\bEROFS\b",
    re.IGNORECASE,
)
_NETWORK_DENIALS = re.compile(
    r"Could(?:n't| not) resolve|Unable to resolve host|Temporary failure in name resolution"
    r"|Temporary failure resolving|Name or service not known|No address associated with hostname"
    r"|failed to lookup address|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|Network is unreachable|\bENETUNREACH\b",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(r"^\[nono\] .+: (\w+).* (?:is|is not) granted here(?:[;,].*)?\Z", re.MULTILINE)

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
        None when the command succeeded. A denial is known where the output ends with the sandbox's own
        line, see `explain_denials`; without one it is a guess from the output, which the command
        itself may have printed.
    """
    if exit_code == 0:
        return None
    if explained := _EXPLAINED.search(output):
        return _NO_NETWORK if explained[1] == "connecting" else _NO_ACCESS
    if "Operation not permitted" in output:
        return _NO_ACCESS
    if exit_code == _TIMEOUT:
        return "command timed out"
    if exit_code != _NOT_EXECUTED:  # a program that is not executable, or a sandbox that could not be set up
        if _DENIALS.search(output):
            return _NO_ACCESS
        if _NETWORK_DENIALS.search(output):
            return _NO_NETWORK
    if "<stderr>" in output:
        return "command failed inside sandbox"
    return f"command failed with exit code {exit_code}"


def describe_file_transfer_error(error: str | None) -> str:
    """Say what the `error` of an upload or download means; an unknown one is returned as it is."""
    return "ok" if error is None else _TRANSFER_ERRORS.get(error, error)
