"""Asking a model once, under a system prompt or none, and what its reply holds to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sftrecipe.plugin import AT_THE_LIMIT, BAD_TOOL_CALL, Model, Reply, Turn


async def ask_once(
    model: Model,
    prompt: str,
    sampling: Mapping[str, Any],
    *,
    raw: bool = False,
    system: str = "",
    sample: int = 0,
    schema: Mapping[str, Any] | None = None,
) -> Reply:
    """The model's reply, by chat following a schema where there is one. Raises CallFailed.

    A raw completion has no system prompt, and follows no schema.
    """
    if raw:
        return await model.complete(prompt, sample=sample, sampling=sampling)
    turns = [{"role": "system", "content": system}] if system else []
    turns.append({"role": "user", "content": prompt})
    return await model.chat(turns, sample=sample, schema=schema, sampling=sampling)


class Lost(NamedTuple):
    """Why a reply is not taken."""

    reason: str
    """`empty_answer`, `bad_tool_call`, `tool_call` with the tools' names, or `cut_off` with the
    tokens that it came to, or the word for how it ended."""
    value: float | str | None = None


def lost_reply(reply: Reply, *, keep_cut_off: bool = False, tools: bool = False) -> Lost | None:
    """Why a reply holds no whole text; None where it does.

    `tools`: whoever asked takes calls of tools, which are no answer to anybody else.
    """
    if reply.finish_reason == BAD_TOOL_CALL:
        return Lost("bad_tool_call")
    empty = not reply.text.strip() and not (tools and reply.tool_calls)
    if reply.cut_off and (empty or reply.tool_calls or not keep_cut_off):
        return Lost("cut_off", cut_off_detail(reply))
    if reply.tool_calls and not tools:
        return Lost("tool_call", ", ".join(call["name"] for call in reply.tool_calls))
    return Lost("empty_answer") if empty else None


def nothing_said(reply: Reply) -> Lost | None:
    """Why a reply was cut off before it said anything; None where it says something, or ended."""
    return lost_reply(reply) if reply.cut_off and not reply.text.strip() else None


def said(reply: Reply) -> str:
    """What a reply says, or why it says nothing: for the detail of a verdict that it is not."""
    lost = nothing_said(reply)
    return reply.text.strip() if lost is None else reply.finish_reason


def cut_off_detail(reply: Reply) -> float | str | None:
    """What to say of a reply that was cut off: its tokens, or the server's word where it is odd."""
    if reply.finish_reason.lower() in AT_THE_LIMIT:
        return reply.output_tokens or None
    return reply.finish_reason


def with_system(turns: Sequence[Turn], said: str) -> list[Turn]:
    """The turns with this system prompt in place of their own."""
    others = [turn for turn in turns if turn["role"] != "system"]
    return [{"role": "system", "content": said}, *others]
