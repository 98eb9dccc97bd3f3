"""Who speaks, by the words that data sets have for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

CALLS_ROLE = "calls"
"""A turn of the assistant whose text is the JSON of its calls."""

ROLE_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "model", "gpt", "chatgpt", "bing", "bard"), "assistant"),
    **dict.fromkeys(("claude", "ai", "bot", "chatbot"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython"), "tool"),
    **dict.fromkeys(("function_response", "tool_response", "tool_result"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), CALLS_ROLE),
}
"""Word → one of `record.ROLES`, or `CALLS`."""

RoleOf = Callable[[str], str | None]
"""The role that a word means; None: it is not known."""


def role_of(word: str) -> str | None:
    """The role that a word means in any data set, in any case of letters."""
    return ROLE_WORDS.get(word.lower().replace("-", "_"))
