"""What a run will ask and spend, before it asks anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from sftrecipe.plan.steps import Step
from sftrecipe.plan.stream_contents import Standing
from sftrecipe.recipe.recipe import Budget

Range = tuple[int, int | None]
"""At least, at most; None: not known."""
Basis = Literal["tokenizer", "ledger", "guess"]
"""What a number of tokens rests on: the model's tokenizer, earlier calls of the model, neither."""
NOTHING: Range = (0, 0)
UNKNOWN: Range = (0, None)


class Likely(NamedTuple):
    """What calls will most likely take; None where nothing tells."""

    calls: float | None
    input_tokens: float | None = None
    output_tokens: float | None = None
    cost: float | None = None
    """None where the price is not known too."""

    def facts(self) -> dict[str, float | None]:
        """The same as plain data, tokens and calls as whole numbers."""
        counts = (None if each is None else round(each) for each in self[:3])
        return dict(zip(self._fields, (*counts, self.cost), strict=True))


@dataclass(frozen=True)
class Asks:
    """What a step will ask of one provider, beside what the ledger answers."""

    provider: str
    calls: Range
    input_tokens: Range
    output_tokens: Range
    cost: tuple[float, float | None] | None
    """None where the price is not known."""
    currency: str
    input_basis: Basis
    output_basis: Basis
    rendered: bool
    """Whether the prompts were rendered from the step's own rows; else from others like them."""
    likely: Likely
    """Within the ranges."""


@dataclass(frozen=True)
class Estimate:
    """What a step will do; zero calls where its result is there already."""

    step: Step
    standing: Standing | None
    """None for exports, which depend on the output folder."""
    rows: Range
    calls: Range = NOTHING
    """Calls that it will make, those that the ledger answers included."""
    likely_rows: bool = False
    """Whether the range of rows is likely; else it is a bound."""
    likely_calls: bool = False
    """Whether the range of calls is likely; else it is a bound."""
    expected_rows: int | None = None
    """The likely number within the range; None where nothing tells."""
    expected_calls: int | None = None
    held: int = 0
    """Calls of them that the ledger answers."""
    asks: Sequence[Asks] = field(default_factory=tuple)

    @property
    def asked(self) -> Range:
        """Calls that will be made anew."""
        least, most = total([each.calls for each in self.asks])
        top = self.calls[1]  # who of several is asked how often may not be known
        return least, most if top is None or most is None else min(most, max(top, least))

    @property
    def input_tokens(self) -> Range:
        """Tokens that prompts hold."""
        return total([each.input_tokens for each in self.asks])

    @property
    def output_tokens(self) -> Range:
        """Tokens that replies hold."""
        return total([each.output_tokens for each in self.asks])

    @property
    def tokens(self) -> Range:
        """Tokens together."""
        return total([self.input_tokens, self.output_tokens])

    def facts(self) -> dict[str, Any]:
        """The estimate as plain data; ranges are [at least, at most], None: not known."""
        return {
            "rows": self.rows,
            "calls": self.calls,
            "likely_rows": self.likely_rows,
            "likely_calls": self.likely_calls,
            "expected_rows": self.expected_rows,
            "expected_calls": self.expected_calls,
            "held": self.held,
            "asked": self.asked,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "tokens": self.tokens,
            "cost": costs(self.asks),
            "likely": likely_facts(self.asks),
            "asks": [{**asdict(each), "likely": each.likely.facts()} for each in self.asks],
        }


def total(ranges: Sequence[Range]) -> Range:
    """Several ranges together."""
    known = [most for _, most in ranges if most is not None]
    return sum(least for least, _ in ranges), sum(known) if len(known) == len(ranges) else None


def costs(asks: Sequence[Asks]) -> dict[str, tuple[float, float | None]]:
    """The cost in every currency; what has no price is not in it."""
    sums: dict[str, tuple[float, float | None]] = {}
    for each in asks:
        if each.cost is None:
            continue
        low, high = sums.get(each.currency, (0.0, 0.0))
        most = None if high is None or each.cost[1] is None else high + each.cost[1]
        sums[each.currency] = (low + each.cost[0], most)
    return sums


def likely_costs(asks: Sequence[Asks]) -> dict[str, float | None]:
    """The likely cost in every currency; None where a part of it cannot be told."""
    sums: dict[str, float | None] = {}
    for each in asks:
        if each.cost is not None:
            before, more = sums.get(each.currency, 0.0), each.likely.cost
            sums[each.currency] = None if before is None or more is None else before + more
    return sums


def likely_facts(asks: Sequence[Asks]) -> dict[str, Any]:
    """What is likely of calls, tokens and cost as plain data; None: nothing tells."""
    return {
        "asked": likely_sum([each.likely.calls for each in asks]),
        "tokens": likely_tokens(asks),
        "cost": likely_costs(asks),
    }


def likely_tokens(asks: Sequence[Asks]) -> int | None:
    """Tokens together."""
    return likely_sum(
        [
            tokens
            for each in asks
            for tokens in (each.likely.input_tokens, each.likely.output_tokens)
        ]
    )


def likely_sum(counts: Sequence[float | None]) -> int | None:
    """Several likely numbers together; None where one of them is not known."""
    known = [each for each in counts if each is not None]
    return round(sum(known)) if len(known) == len(counts) else None


@dataclass(frozen=True)
class Shortage:
    """A limit of a budget that the run cannot keep within."""

    step: str | None
    """Whose budget; None: the recipe's."""
    limit: str
    """`max_calls`, `max_tokens` or `max_cost`."""
    most: float
    needed: float
    """At least; what was spent before included."""
    currency: str = ""


Spent = tuple[int, int, float]
"""Requests, tokens and cost."""


def shortages(
    estimates: Sequence[Estimate], budget: Budget, spent: Mapping[str, Spent]
) -> list[Shortage]:
    """The limits that the low end of the estimate exceeds already.

    `spent`: what counts against the budgets, by step.
    """
    found = list(_shortages(None, estimates, budget, list(spent.values())))
    for each in estimates:
        before = [spent[each.step.id]] if each.step.id in spent else []
        found.extend(_shortages(each.step.id, [each], each.step.block.budget, before))
    return found


def _shortages(
    step: str | None, estimates: Sequence[Estimate], budget: Budget, spent: Sequence[Spent]
) -> Iterator[Shortage]:
    asks = [ask for each in estimates for ask in each.asks]
    calls = sum(ask.calls[0] for ask in asks)
    if not calls:
        return
    tokens = sum(ask.input_tokens[0] + ask.output_tokens[0] for ask in asks)
    cost = costs(asks).get(budget.currency, (0.0, None))[0]
    before = [sum(each) for each in zip(*spent, strict=True)] or [0, 0, 0.0]
    for limit, most, needed in (
        ("max_calls", budget.max_calls, before[0] + calls),
        ("max_tokens", budget.max_tokens, before[1] + tokens),
        ("max_cost", budget.max_cost, before[2] + cost),
    ):
        if most is not None and needed > most:
            currency = budget.currency if limit == "max_cost" else ""
            yield Shortage(step, limit, most, needed, currency)
