"""Demonstrations of an answer: bootstrapped with self-judging, their best set found by search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from sftrecipe.plugin import CallFailed, Context

Demonstration: TypeAlias = Mapping[str, str]
"""`context`, `question`, `answer`, and `reasoning`, empty where a person wrote it."""

Answer = Callable[[Demonstration, Sequence[Demonstration]], Awaitable[Demonstration | None]]
"""Answers a demonstration's question, given others; None where the reply holds no answer."""
Agrees = Callable[[Demonstration, Demonstration], Awaitable[bool]]
"""Whether (the answer, the reference) say the same."""


class _Trial(NamedTuple):
    """One question answered with one set of demonstrations."""

    number: int
    asked: Demonstration
    shown: Sequence[Demonstration]


class DemonstrationSearch(NamedTuple):
    """Finds the demonstrations that a model answers best with.

    Source: dspy's BootstrapFewShot and random search, as AugCon (arXiv 2405.16579) uses them.
    """

    answer: Answer
    agrees: Agrees
    bootstrapped: int
    """Answers of the model's own in a set at most."""
    labelled: int
    """Demonstrations as a person wrote them in a set at most."""
    sets: int
    """Sets that are tried; 1: the first is taken, untried."""

    async def best(self, given: Sequence[Demonstration], ctx: Context) -> list[Demonstration]:
        """The set of demonstrations whose answers to the others agree most often."""
        own = await self._bootstrapped(given, ctx)
        candidates = [self._drawn(number, given, own, ctx) for number in range(self.sets)]
        if len(candidates) == 1:
            return candidates[0]
        right = [0] * len(candidates)
        asked = [0] * len(candidates)
        trials = (
            _Trial(number, one, shown)
            for number, shown in enumerate(candidates)
            for one in _others(given, shown)
        )
        async for trial, agreed in ctx.map(self._tried, trials):
            asked[trial.number] += 1
            right[trial.number] += agreed is True
        rates = [each / of if of else 0.0 for each, of in zip(right, asked, strict=True)]
        best = rates.index(max(rates))
        ctx.count("demonstration_sets", len(candidates))
        ctx.count("best_set_agreed", right[best])
        ctx.count("best_set_asked", asked[best])
        return candidates[best]

    async def _bootstrapped(
        self, given: Sequence[Demonstration], ctx: Context
    ) -> dict[str, Demonstration]:
        """The model's answers that it judges to agree with the person's, by question."""
        if not self.bootstrapped:
            return {}

        async def try_one(one: Demonstration) -> Demonstration | None:
            shown = _first(_others(given, [one]), self.labelled, ctx, "bootstrap", one["question"])
            made = await self.answer(one, shown)
            return made if made and await self.agrees(made, one) else None

        own = {}
        async for one, made in ctx.map(try_one, given):
            if made and not isinstance(made, CallFailed):
                own[one["question"]] = made
        ctx.count("bootstrapped", len(own))
        ctx.count("bootstrap_failed", len(given) - len(own))
        return own

    def _drawn(
        self,
        number: int,
        given: Sequence[Demonstration],
        own: Mapping[str, Demonstration],
        ctx: Context,
    ) -> list[Demonstration]:
        """A set: some of the model's answers, and some of a person's to other questions."""
        made = _first(own.values(), self.bootstrapped, ctx, "own", number)
        rest = _others(given, made)
        return [*made, *_first(rest, self.labelled, ctx, "labelled", number)]

    async def _tried(self, trial: _Trial) -> bool:
        made = await self.answer(trial.asked, trial.shown)
        return made is not None and await self.agrees(made, trial.asked)


def _others(given: Sequence[Demonstration], shown: Iterable[Demonstration]) -> list[Demonstration]:
    questions = {one["question"] for one in shown}
    return [one for one in given if one["question"] not in questions]


def _first(
    given: Iterable[Demonstration], count: int, ctx: Context, *salt: object
) -> list[Demonstration]:
    """So many of them, drawn by the recipe's seed."""
    drawn = sorted(given, key=lambda one: ctx.number(*salt, one["question"]), reverse=True)
    return drawn[:count]
