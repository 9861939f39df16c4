"""`execute_with_offload`: a command's long output goes to a file, and a preview of it to the model.

`BaseSandbox` wraps the command in a shell script for this. Here the command runs as `execute` runs it, and
what it wrote is put into the file by `upload_files`, so the sandbox's rules for paths hold. deepagents has
this since 0.7.0.
"""

import asyncio
from typing import Any

from deepagents.backends import protocol
from deepagents.backends.protocol import ExecuteResponse, FileUploadResponse
from deepagents.backends.sandbox import BaseSandbox

from langchain_nono import releases

MAX_CAPTURE_BYTES = 10 * 1024 * 1024
"""What is kept of an output when the caller does not say."""
_LINES = 5
_BYTES = 2000
_MARKER = "... [{} lines truncated] ..."
_CUT = "... [{} bytes left out here; the path above has them] ..."
_CUT_LINES = "... [the lines around this are cut to {} bytes on each side] ..."

_Result: Any = getattr(protocol, "ExecuteOffloadResult", None)


class Offloading(BaseSandbox):
    """A `BaseSandbox` that captures long outputs itself."""

    enable_capture_offload = True
    _max_output_bytes: int

    def _exec(self, command: str, timeout: int | None, limit: int) -> Any:
        """Run a command for `_response`, which may be asked for up to `limit` bytes of its output."""
        raise NotImplementedError

    async def _aexec(self, command: str, timeout: int | None, limit: int) -> Any:
        """Async version of `_exec`."""
        raise NotImplementedError

    def _response(self, command: str, result: Any, limit: int) -> ExecuteResponse:
        """What `execute` returns for a `result` of `_exec`, with at most `limit` bytes of output."""
        raise NotImplementedError

    async def _aresponse(self, command: str, result: Any, limit: int) -> ExecuteResponse:
        """Async version of `_response`, in a thread where a failure has to be looked into."""
        if result.exit_code == 0:
            return self._response(command, result, limit)
        return await asyncio.to_thread(self._response, command, result, limit)

    if _Result is not None:

        def execute_with_offload(
            self,
            command: str,
            capture_path: str,
            *,
            max_inline_bytes: int,
            max_capture_bytes: int | None = None,
            timeout: int | None = None,
        ) -> Any:
            """Run a command once, long output to a file.

            Args:
                command: As in `execute`.
                capture_path: Where to, as in `upload_files`. Nothing is written unless it is needed.
                max_inline_bytes: Output up to this size, and up to the constructor's `max_output_bytes`,
                    is returned as it is.
                max_capture_bytes: Of longer output this much is kept; None is `MAX_CAPTURE_BYTES`.
                timeout: As in `execute`.

            Returns:
                `ExecuteOffloadResult`: `offloaded` with a preview for output, and `truncated` if the file
                is not all there was. Otherwise, also when the file cannot be written, what `execute` returns.

            Raises:
                ValueError: As `execute` does.
                RuntimeError: As `execute` does.
            """
            if not self.enable_capture_offload:
                return _Result(offloaded=False, response=self.execute(command, timeout=timeout))
            limit = MAX_CAPTURE_BYTES if max_capture_bytes is None else max_capture_bytes
            result = self._exec(command, timeout, limit)
            whole = self._response(command, result, limit)
            captured = whole.output.encode()
            if len(captured) <= min(max_inline_bytes, self._max_output_bytes):
                return _Result(offloaded=False, response=whole)
            if _is_written(self.upload_files([(capture_path, captured)])):
                return _offloaded(whole, captured)
            return _Result(offloaded=False, response=self._response(command, result, self._max_output_bytes))

        async def aexecute_with_offload(
            self,
            command: str,
            capture_path: str,
            *,
            max_inline_bytes: int,
            max_capture_bytes: int | None = None,
            timeout: int | None = None,
        ) -> Any:
            """Async version of `execute_with_offload`."""
            if not self.enable_capture_offload:
                return _Result(offloaded=False, response=await self.aexecute(command, timeout=timeout))
            limit = MAX_CAPTURE_BYTES if max_capture_bytes is None else max_capture_bytes
            result = await self._aexec(command, timeout, limit)
            whole = await self._aresponse(command, result, limit)
            captured = whole.output.encode()
            if len(captured) <= min(max_inline_bytes, self._max_output_bytes):
                return _Result(offloaded=False, response=whole)
            if _is_written(await self.aupload_files([(capture_path, captured)])):
                return _offloaded(whole, captured)
            response = await self._aresponse(command, result, self._max_output_bytes)
            return _Result(offloaded=False, response=response)


def preview(captured: bytes) -> tuple[str, bool]:
    """The start and the end of a long output, with notices of what is left out.

    Returns:
        The text, and whether it has the marker that whole lines are left out, in deepagents' words.
    """
    lines = captured.splitlines(keepends=True)
    omitted = len(lines) - 2 * _LINES
    if omitted <= 0:
        notice = _CUT.format(max(len(captured) - 2 * _BYTES, 0))
        return f"{_first(captured)}\n{notice}\n{_last(captured)}", False
    first, last = b"".join(lines[:_LINES]), b"".join(lines[-_LINES:])
    is_cut = max(len(first), len(last)) > _BYTES
    notice = f"\n{_CUT_LINES.format(_BYTES)}\n" if is_cut else ""
    return f"{_first(first)}{notice}{_MARKER.format(omitted)}\n{_last(last)}", True


def _offloaded(whole: ExecuteResponse, captured: bytes) -> Any:
    text, has_marker = preview(captured)
    response = ExecuteResponse(output=text, exit_code=whole.exit_code, truncated=whole.truncated)
    return releases.make(
        _Result, offloaded=True, response=response, preview_has_truncation_marker=has_marker
    )


def _is_written(responses: list[FileUploadResponse]) -> bool:
    return all(response.error is None for response in responses)


def _first(text: bytes) -> str:
    return text[:_BYTES].decode("utf-8", "ignore")


def _last(text: bytes) -> str:
    return text[-_BYTES:].decode("utf-8", "ignore")
