"""nono, an OS-enforced sandbox, as a backend for LangChain Deep Agents."""

from langchain_nono.messages import describe_execute_failure, describe_file_transfer_error
from langchain_nono.per_thread import ThreadSandboxes
from langchain_nono.sandbox import NonoSandbox

__all__ = ["NonoSandbox", "ThreadSandboxes", "describe_execute_failure", "describe_file_transfer_error"]
