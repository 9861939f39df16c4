"""A chat model that says what it was told to say."""

from collections.abc import Iterable, Iterator
from typing import Any

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from pydantic import Field


class ScriptedModel(GenericFakeChatModel):
    """Plays messages in order; tools may be bound and change nothing."""

    messages: Iterator[AIMessage | str] = Field(exclude=True)

    def bind_tools(self, tools: Any, **kwargs: Any) -> "ScriptedModel":
        return self


def scripted(*turns: Iterable[tuple[str, dict[str, Any]]]) -> ScriptedModel:
    """A model that calls the tools of each turn, and then is done."""
    messages = []
    for number, turn in enumerate(turns):
        calls = [
            {"name": name, "args": args, "id": f"{number}.{index}", "type": "tool_call"}
            for index, (name, args) in enumerate(turn)
        ]
        messages.append(AIMessage("", tool_calls=calls))
    return ScriptedModel(messages=iter([*messages, AIMessage("done")]))
