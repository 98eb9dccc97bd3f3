"""One call while it is being made."""

from __future__ import annotations

from dataclasses import dataclass

from sftrecipe.calls.ledger.accounts import Reservation
from sftrecipe.calls.ledger.entries import NOTHING_RESERVED, Claim
from sftrecipe.calls.usage import Usage
from sftrecipe.plugin.provider import Request


@dataclass(slots=True)
class PendingCall:
    """One call while it is being made."""

    request: Request
    claim: Claim
    usage: Usage
    reservation: Reservation = NOTHING_RESERVED
    """What is set aside for the attempt in flight."""
    metered: int = 0
    """Tokens that were taken from the meter."""
    claimed: bool = False
    attempts: int = 0
    latency: float = 0.0
    estimated: bool = False
    """Whether the reply's tokens were not told."""

    @property
    def expected(self) -> bool:
        """Whether the call failed in an earlier run already."""
        return self.claim.seen is not None and self.claim.seen.state == "failed"

    @property
    def requests(self) -> int:
        """What the next attempt counts."""
        return 0 if self.claim.resumed and not self.attempts else 1
