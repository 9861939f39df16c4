"""Deep Agents' own file tools over a plain shell, which is what ours are compared with."""

import os
import subprocess

from deepagents.backends.protocol import ExecuteResponse, FileDownloadResponse, FileUploadResponse
from deepagents.backends.sandbox import BaseSandbox


class PlainShell(BaseSandbox):
    """Runs commands unconfined, with stderr after stdout."""

    @property
    def id(self) -> str:
        return "plain"

    def execute(self, command: str, *, timeout: int | None = None) -> ExecuteResponse:
        done = subprocess.run(
            ["/bin/sh", "-c", command], capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout
        )
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        return ExecuteResponse(output=output, exit_code=done.returncode)

    def upload_files(self, files: list[tuple[str, bytes]]) -> list[FileUploadResponse]:
        for path, content in files:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
        return [FileUploadResponse(path=path) for path, _ in files]

    def download_files(self, paths: list[str]) -> list[FileDownloadResponse]:
        responses = []
        for path in paths:
            with open(path, "rb") as file:
                responses.append(FileDownloadResponse(path=path, content=file.read()))
        return responses
