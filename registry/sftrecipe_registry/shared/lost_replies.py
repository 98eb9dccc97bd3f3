"""Replies that hold no text to keep."""

from __future__ import annotations

from typing import NamedTuple

from sftrecipe import Reply


class Lost(NamedTuple):
    """Why a reply is not taken."""

    reason: str
    """`empty_answer`, or `cut_off` with the tokens that it came to."""
    value: float | None = None


def lost_reply(reply: Reply, *, keep_cut_off: bool = False) -> Lost | None:
    """Why a reply holds no whole text; None where it does."""
    if not reply.text.strip():
        return Lost("empty_answer")
    if reply.finish_reason == "length" and not keep_cut_off:
        return Lost("cut_off", reply.output_tokens or None)
    return None
