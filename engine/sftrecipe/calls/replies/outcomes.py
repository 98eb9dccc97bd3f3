"""What a reply or a failure is: whole, to be asked again, for good, billed or not."""

from __future__ import annotations

from sftrecipe.calls.ledger.accounts import Reservation, Spent
from sftrecipe.calls.ledger.entries import Entry
from sftrecipe.calls.replies.reply_parts import in_parts
from sftrecipe.calls.usage import Usage
from sftrecipe.plugin.asked_model import Reply
from sftrecipe.plugin.endings import ending_of
from sftrecipe.plugin.provider import (
    CALL_FAILED,
    KEPT_REASONS,
    Answer,
    CallFailed,
    Request,
    RequestKind,
    TimedOut,
    Unreached,
)

_WRITTEN: tuple[RequestKind, ...] = ("chat", "complete")


def taken(answer: Answer, request: Request) -> Answer:
    """An answer that is a reply, whole or cut off, in its parts. Raises CallFailed for one that is
    none."""
    if request.kind not in _WRITTEN:
        return answer
    answer = in_parts(answer, request.kind, request.prompt, tools=bool(request.tools))
    word = answer.finish_reason
    ending = ending_of(word)
    if ending not in ("refused", "again"):
        return answer
    if ending == "refused":
        failure = CallFailed("refused", f"the reply was held back ({word})", status=200)
    else:
        failure = CallFailed("retry", f"the server broke the reply off ({word})", status=200)
    failure.reply = answer
    raise failure


def kept_end(failure: CallFailed, *, alive: bool) -> Answer | None:
    """What the ledger keeps of a failure that the next run need not meet again; None: nothing.

    Of a provider that never answered, only what is known to be the row's fault is believed.
    """
    known = failure.blame == "row" or (alive and failure.reason in KEPT_REASONS)
    return Answer("", failure.reason) if known else None


def known_failure(entry: Entry, *, ask_again: bool) -> CallFailed | None:
    """The failure that the ledger keeps of a call; None where it is to be asked.

    A refusal is for ever; what failed by its row's own fault stands until it is asked again
    (`ask_again`: `--retry-failed`); any other failure may have passed.
    """
    if entry.state == "refused":
        return CallFailed("refused", entry.error or "")
    kept = entry.finish in KEPT_REASONS or entry.finish == CALL_FAILED
    if entry.state == "failed" and kept and not ask_again:
        return CallFailed("final", entry.error or "", reason=entry.finish, blame="row")
    return None


def billed(
    failure: CallFailed, reservation: Reservation, *, deferred: bool, told: Spent | None = None
) -> Spent:
    """What a failed attempt may be billed: nothing if it never left, or was turned away.

    `told`: what its reply tells, where one came.
    """
    if told is not None:
        return told
    if isinstance(failure, Unreached):
        return Spent()
    if isinstance(failure, TimedOut) or _is_lost(failure, deferred=deferred):
        return Spent(reservation.requests, reservation.tokens, reservation.cost)
    return Spent(reservation.requests)


def _is_lost(failure: CallFailed, *, deferred: bool) -> bool:
    """Whether an attempt left and nobody knows what became of it.

    A server that says no has written nothing, but a gateway that lost patience knows no more than
    we do. Those who defer calls tell what they did not do, and charge nothing for it.
    """
    status = failure.status
    if status is None:
        return failure.outcome == "retry" and not deferred
    return not (300 <= status <= 503 or status == 529)


def handed_on(key: str, answer: Answer, usage: Usage) -> Reply:
    """What a plugin is given of an answer, counted."""
    usage.read(answer)
    return reply_of(key, answer)


def reply_of(key: str, answer: Answer) -> Reply:
    """What a plugin is given of an answer."""
    return Reply(
        answer.text,
        key,
        answer.finish_reason,
        answer.logprobs,
        answer.vector,
        answer.input_tokens,
        answer.output_tokens,
        answer.reasoning,
        answer.tool_calls,
    )
