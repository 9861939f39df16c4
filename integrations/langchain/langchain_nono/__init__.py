"""nono, an OS-enforced sandbox, as a backend for LangChain Deep Agents."""

from langchain_nono.jobs import Job, JobStatus
from langchain_nono.messages import describe_execute_failure, describe_file_transfer_error
from langchain_nono.per_thread import ThreadSandboxes
from langchain_nono.sandbox import NonoSandbox
from langchain_nono.streaming import AsyncOutputStream, OutputChunk, OutputStream

__all__ = [
    "AsyncOutputStream",
    "Job",
    "JobStatus",
    "NonoSandbox",
    "OutputChunk",
    "OutputStream",
    "ThreadSandboxes",
    "describe_execute_failure",
    "describe_file_transfer_error",
]
