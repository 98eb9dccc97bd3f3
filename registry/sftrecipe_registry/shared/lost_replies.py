"""Replies that hold no text to keep."""

from __future__ import annotations

from typing import NamedTuple

from sftrecipe import Reply
from sftrecipe.kinds import AT_THE_LIMIT


class Lost(NamedTuple):
    """Why a reply is not taken."""

    reason: str
    """`empty_answer`, or `cut_off` with the tokens that it came to, or the server's word for it."""
    value: float | str | None = None


def lost_reply(reply: Reply, *, keep_cut_off: bool = False) -> Lost | None:
    """Why a reply holds no whole text; None where it does."""
    empty = not reply.text.strip()
    if reply.cut_off and (empty or not keep_cut_off):
        return Lost("cut_off", cut_off_detail(reply))
    return Lost("empty_answer") if empty else None


def cut_off_detail(reply: Reply) -> float | str | None:
    """What to say of a reply that was cut off: its tokens, or the server's word where it is odd."""
    if reply.finish_reason.lower() in AT_THE_LIMIT:
        return reply.output_tokens or None
    return reply.finish_reason
