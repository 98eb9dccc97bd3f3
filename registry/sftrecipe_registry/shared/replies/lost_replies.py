"""Replies that hold no text to keep."""

from __future__ import annotations

from typing import NamedTuple

from sftrecipe.plugin import AT_THE_LIMIT, BAD_TOOL_CALL, Reply


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
