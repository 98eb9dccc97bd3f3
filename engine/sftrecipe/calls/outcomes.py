"""What a reply or a failure is for the ledger: whole, to be asked again, or for good."""

from __future__ import annotations

from sftrecipe.calls.ledger import Entry
from sftrecipe.plugin.endings import ending_of
from sftrecipe.plugin.provider import (
    CALL_FAILED,
    KEPT_REASONS,
    Answer,
    CallFailed,
    RequestKind,
)

_WRITTEN: tuple[RequestKind, ...] = ("chat", "complete")


def taken(answer: Answer, kind: RequestKind) -> Answer:
    """An answer that is a reply, whole or cut off. Raises CallFailed for one that is none."""
    if kind not in _WRITTEN:
        return answer
    word = answer.finish_reason
    ending = ending_of(word)
    if ending == "refused":
        raise CallFailed("refused", f"the reply was held back ({word})", status=200)
    if ending == "again":
        raise CallFailed("retry", f"the server broke the reply off ({word})", status=200)
    return answer


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
