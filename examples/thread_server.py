#!/usr/bin/env python3
"""A server with one agent for many conversations, each in a sandbox of its own.

    pip install langchain-nono && python examples/thread_server.py [DIRECTORY [PORT]]
    curl --data 'echo hello > note; ls' http://127.0.0.1:8000/monday

What is posted to /NAME is the next message of the conversation NAME, whose files are in DIRECTORY/NAME
(a new directory by default). The chat model runs each message as a command and answers with the output,
so this needs no key and no network; in its place a real one decides what to run.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from deepagents import create_deep_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_nono import NonoSandbox, ThreadSandboxes


class Obedient(GenericFakeChatModel):
    """A chat model that calls `execute` with what the user says, and then repeats what it returned."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Obedient:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            answer = AIMessage(last.content)
        else:
            call = {"name": "execute", "args": {"command": str(last.content)}, "id": "1", "type": "tool_call"}
            answer = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=answer)])


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="conversations-"))
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8000

    def make(thread: str) -> NonoSandbox:
        directory = root / thread
        directory.mkdir(exist_ok=True)
        return NonoSandbox(working_dir=str(directory))

    with ThreadSandboxes(make, idle_seconds=600, max_sandboxes=50) as sandboxes:
        agent = create_deep_agent(model=Obedient(messages=iter(())), backend=sandboxes)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = self.path.removeprefix("/")
                if not re.fullmatch(r"[a-z0-9-]{1,64}", name):  # it becomes part of a path
                    self.send_error(404, "not the name of a conversation")
                    return
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                result = agent.invoke({"messages": [("user", text)]}, {"configurable": {"thread_id": name}})
                answer = str(result["messages"][-1].content).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
            print(f"http://127.0.0.1:{server.server_port}/ with the files in {root}", flush=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                print(f"conversations with a sandbox: {', '.join(sandboxes.threads) or 'none'}")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("LANGSMITH_TRACING", "false")
    sys.exit(main())
