"""What the attempts of one provider's calls may cost, and what its replies did cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from sftrecipe.calls.ledger.accounts import Spent, Stake
from sftrecipe.calls.ledger.call_ledger import Ledger
from sftrecipe.calls.ledger.entries import UNPAID, Claim, Paid
from sftrecipe.calls.limits.budget import Purse, cost_of
from sftrecipe.calls.limits.prices import price_of
from sftrecipe.calls.replies.reply_lengths import LONGEST, WRITING, Expected, ReplyLengths, limit_of
from sftrecipe.plugin.provider import MOST_TOKENS, Answer, CallFailed, Price, Provider, Request


class Stakes:
    """Sets aside for a provider's attempts, and learns from its replies."""

    def __init__(self, provider: Provider, purse: Purse, ledger: Callable[[], Ledger]) -> None:
        self._provider = provider
        self._purse = purse
        self._ledger = ledger
        self._lengths = ReplyLengths()
        self._learned = False
        self._read_beyond = 0

    @cached_property
    def price(self) -> Price | None:
        """What tokens cost; None where nobody knows."""
        return price_of(self._provider, self._purse.currency)

    def tokens(self, claim: Claim, request: Request) -> int:
        """Tokens that an attempt takes at most, by all that is known."""
        return self._asked(claim) + self._reply(claim, request, guarded=False).likely

    def of(self, claim: Claim, request: Request, requests: int) -> Stake:
        """What an attempt may take: prompt and longest reply."""
        guarded = self._purse.holds_tokens(claim.step)
        asked, price = self._asked(claim), self.price
        likely, at_most, lost = self._reply(claim, request, guarded=guarded)
        spare = at_most - likely if guarded else 0
        # Without and with the server's cache, whatever costs more.
        read = max(cost_of(price, asked, 0), cost_of(price, asked, 0, asked))
        return Stake(
            requests,
            asked + likely,
            read + cost_of(price, 0, likely),
            likely,
            spare,
            cost_of(price, 0, spare),
            cost_of(price, 0, 1),
            lost if guarded else likely,
        )

    def spent(self, answer: Answer, requests: int) -> Spent:
        """What a reply took."""
        read, written = answer.input_tokens, answer.output_tokens
        cost = cost_of(self.price, read, written, answer.cached_tokens)
        return Spent(requests, read + written, cost)

    def told(self, failure: CallFailed, requests: int) -> Spent | None:
        """What a reply that counts as a failure took; None where it does not tell."""
        reply = failure.reply
        if reply is None or not (
            0 < reply.input_tokens <= MOST_TOKENS and 0 < reply.output_tokens <= MOST_TOKENS
        ):
            return None
        return self.spent(reply, requests)

    def priced(self, cost: float | None) -> Paid:
        """A cost, with the price by which it is reckoned."""
        price = self.price
        if price is None:
            return UNPAID
        return Paid(cost, price.input, price.output, price.currency, price.of_cached)

    def teach(self, claim: Claim, request: Request, answer: Answer) -> None:
        """Learn from a reply what those to come may take."""
        beyond = answer.input_tokens - self._asked(claim)
        self._read_beyond += max(0, beyond)
        if request.kind in WRITING:
            most = limit_of(request.sampling)
            self._lengths.seen(claim.step, answer.output_tokens, most, answer.finish_reason)

    def _asked(self, claim: Claim) -> int:
        """Tokens of the prompt, rather too many than too few."""
        text = claim.request
        # Three bytes a token is on the high side for English and about right for Chinese.
        asked = len(text) // 3 + 8 if text.isascii() else len(text)
        return asked + self._read_beyond

    def _reply(self, claim: Claim, request: Request, *, guarded: bool) -> Expected:
        if request.kind not in WRITING:
            return Expected(0, 0, 0)
        most = limit_of(request.sampling)
        if guarded:
            self._learn(claim, most)
        likely, at_most, lost = self._lengths.expected(claim.step, most)
        if guarded and self._provider.deferred:
            # Nobody waits a day to see how long the first reply gets.
            likely = at_most = min(at_most, LONGEST) if most is None else likely
            lost = likely
        choices = request.sampling.get("n")
        if isinstance(choices, int) and choices > 1:
            likely, at_most, lost = choices * likely, choices * at_most, choices * lost
        return Expected(likely, at_most, lost)

    def _learn(self, claim: Claim, max_tokens: int | None) -> None:
        """Learn from the ledger, where no reply of this engine's own tells how long they get."""
        if self._learned and self._lengths.knows(claim.step, max_tokens):
            return
        self._learned = True
        if replies := self._ledger().lengths(claim.provider, claim.model):
            self._lengths = ReplyLengths()
            self._lengths.learn(replies)
