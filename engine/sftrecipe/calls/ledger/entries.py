"""What is written into the ledger, and read out of it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sftrecipe.calls.ledger.accounts import Reservation, Spent
from sftrecipe.calls.replies.reply_parts import calls_in, kept_in_parts
from sftrecipe.plugin.provider import Answer

State = Literal["asking", "done", "failed", "refused"]


FIND = """SELECT state, engine, reply, finish, input_tokens, output_tokens, logprobs, vector, error,
kind, reasoning, tool_calls, CASE WHEN reasoning IS NULL THEN raw END FROM calls WHERE key = ?"""
"""A call's columns, in the order of `Entry`."""


class Entry(NamedTuple):
    """What the ledger knows of a call."""

    state: State
    engine: int
    reply: str
    finish: str
    input_tokens: int
    output_tokens: int
    logprobs: bytes | None
    vector: bytes | None
    error: str | None
    kind: str
    reasoning: str | None
    """None: an earlier version kept the reply whole."""
    tool_calls: str | None
    raw: str | None
    """The body of such a reply."""

    def answer(self) -> Answer:
        """The reply of a call that is done."""
        answer = Answer(
            self.reply,
            self.finish,
            self.input_tokens,
            self.output_tokens,
            numbers(self.logprobs),
            numbers(self.vector),
        )
        if self.reasoning is None:
            return kept_in_parts(answer, self.kind, self.raw)
        if not self.reasoning and not self.tool_calls:
            return answer
        return answer._replace(reasoning=self.reasoning, tool_calls=calls_in(self.tool_calls))


class TakenElsewhere(Exception):
    """Another engine took the call first."""


NOTHING_RESERVED = Reservation()


class Claim(NamedTuple):
    """A call that is about to leave."""

    key: str
    provider: str
    model: str
    kind: str
    step: str
    request: str
    seen: Entry | None
    """What the ledger said of it: another engine that was faster is noticed by this."""
    resumed: bool = False
    """Whether it left before already, and is waited for again: no further request."""
    alike: bytes = b""
    """What it shares with calls that differ in `max_tokens` alone."""


class Paid(NamedTuple):
    """What a reply cost, and by which price."""

    cost: float | None = None
    input_price: float | None = None
    output_price: float | None = None
    currency: str | None = None
    cached_price: float | None = None


UNPAID = Paid()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended."""

    key: str
    step: str
    state: State
    latency: float
    reservation: Reservation | None = None
    """What was set aside for the attempt that brought the reply; None: it was settled before."""
    answer: Answer | None = None
    paid: Paid = UNPAID
    estimated: bool = False
    """Whether the tokens were not told, but are counted from the texts."""
    error: str | None = None
    alike: bytes = b""
    """As of its claim."""


@dataclass(frozen=True, slots=True)
class Returned:
    """An attempt that brought no reply."""

    key: str
    step: str
    reservation: Reservation
    spent: Spent
    """What may be billed for it all the same."""
    lost: bool
    """Whether nobody knows what it took."""


def numbers(kept: bytes | None) -> tuple[float, ...]:
    """Numbers out of the ledger, to the last bit."""
    return tuple(array("d", kept)) if kept else ()


def packed(values: tuple[float, ...]) -> bytes | None:
    """Numbers as the ledger keeps them; None for none."""
    return array("d", values).tobytes() if values else None
