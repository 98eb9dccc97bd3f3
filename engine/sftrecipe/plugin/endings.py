"""What a reply's `finish_reason` means: one table for all providers.

Only ends that are known to be good make a reply whole; a word that nobody knows (`abort`,
`repetition_truncation`, a number) is a reply that was cut off. Sources: OpenAI, Anthropic
(`end_turn`, `stop_sequence`, `tool_use`, `refusal`, `model_context_window_exceeded`), Gemini
(`STOP`, `MAX_TOKENS`, `SAFETY` …), DeepSeek (`insufficient_system_resource`), Zhipu (`sensitive`,
`network_error`), Mistral (`model_length`), Hugging Face's TGI (`eos_token`), Qianfan (`normal`),
Cohere (`COMPLETE`, `ERROR_TOXIC`), Bedrock (`guardrail_intervened`, `content_filtered`).
"""

from __future__ import annotations

from typing import Literal

Ending = Literal["whole", "cut_off", "refused", "again"]

AT_THE_LIMIT = frozenset({
    "length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded",
})  # fmt: skip
"""Words for a reply that came to `max_tokens`, or to the end of the model's context."""
THOUGHT_ALONE = "the thought took all of max_tokens"
"""The engine's own word where the limit came before the answer began."""
OPEN_THOUGHT = "the thought has no end"
"""The engine's own word where a thought was not closed: nothing is known to be the answer."""
BAD_TOOL_CALL = "bad_tool_call"
"""The engine's own word for a call of a tool whose arguments are no JSON object."""
_WHOLE = frozenset({
    "", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "tool_calls", "tool_use",
    "function_call", "normal", "complete",
})  # fmt: skip
_REFUSED = frozenset({
    "content_filter", "sensitive", "refusal", "safety", "prohibited_content", "blocklist", "spii",
    "recitation", "image_safety", "content_filtered", "guardrail_intervened", "error_toxic",
})  # fmt: skip
_AGAIN = frozenset({"error", "insufficient_system_resource", "network_error"})


def ending_of(finish_reason: str) -> Ending:
    """Whether a reply is whole, cut off, refused, or to be asked for again."""
    word = finish_reason.strip().lower()
    if word in _WHOLE:
        return "whole"
    if word in _REFUSED:
        return "refused"
    return "again" if word in _AGAIN else "cut_off"


def is_cut_off(finish_reason: str) -> bool:
    """Whether a reply with this end is not whole."""
    return ending_of(finish_reason) != "whole"
