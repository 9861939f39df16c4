"""The output of a running command as text, while it comes."""

import codecs
from typing import Literal, NamedTuple, Self

import nono_py

_Name = Literal["stdout", "stderr"]


class OutputChunk(NamedTuple):
    """A piece of output; never empty, and never a part of a character."""

    stream: _Name
    text: str


class _Texts:
    """Makes text of the bytes of both streams; what is not UTF-8 becomes U+FFFD."""

    def __init__(self) -> None:
        make = codecs.getincrementaldecoder("utf-8")
        self._decoders: dict[_Name, codecs.IncrementalDecoder] = {
            "stdout": make("replace"),
            "stderr": make("replace"),
        }
        self._rest: list[OutputChunk] | None = None

    def add(self, chunk: tuple[_Name, bytes]) -> OutputChunk | None:
        name, data = chunk
        text = self._decoders[name].decode(data)
        return OutputChunk(name, text) if text else None

    def next_of_rest(self) -> OutputChunk | None:
        """After the last chunk: what was begun and never ended."""
        if self._rest is None:
            ends = ((name, decoder.decode(b"", final=True)) for name, decoder in self._decoders.items())
            self._rest = [OutputChunk(name, text) for name, text in ends if text]
        return self._rest.pop(0) if self._rest else None


class OutputStream:
    """Iterator of `OutputChunk`; `NonoSandbox.stream` makes these.

    Leaving a `for` over it kills the command, unless something else still refers to this object; so do
    `close()` and the end of a `with`.
    """

    def __init__(self, stream: nono_py.Stream) -> None:
        """Take over a stream."""
        self._stream = stream
        self._texts = _Texts()

    @property
    def exit_code(self) -> int | None:
        """As in `ExecuteResponse.exit_code`; None until the last chunk has been asked for."""
        result = self._stream.result
        return None if result is None else result.exit_code

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> OutputChunk:
        for chunk in self._stream:
            if text := self._texts.add(chunk):
                return text
        if rest := self._texts.next_of_rest():
            return rest
        raise StopIteration

    def close(self) -> None:
        """Kill the command and all that it started, and wait for that. May be called again."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncOutputStream:
    """Async iterator of `OutputChunk`; `NonoSandbox.astream` makes these.

    Leaving an `async for` over it kills the command, unless something else still refers to this object; so
    do cancelling the task that waits for a chunk, `aclose()` and the end of an `async with`.
    """

    def __init__(self, stream: nono_py.AsyncStream) -> None:
        """Take over a stream."""
        self._stream = stream
        self._texts = _Texts()

    @property
    def exit_code(self) -> int | None:
        """As in `ExecuteResponse.exit_code`; None until the last chunk has been asked for."""
        result = self._stream.result
        return None if result is None else result.exit_code

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> OutputChunk:
        async for chunk in self._stream:
            if text := self._texts.add(chunk):
                return text
        if rest := self._texts.next_of_rest():
            return rest
        raise StopAsyncIteration

    def kill(self) -> None:
        """Kill the command and all that it started; returns at once. Any thread may call."""
        self._stream.kill()

    async def aclose(self) -> None:
        """Kill the command and all that it started, and wait for that. May be called again."""
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
