"""Preference pairs: of several answers to one question the best and the worst."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, NamedTuple

import orjson
from annotated_types import Ge

from sftrecipe.plugin import (
    Context,
    Expected,
    Generator,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    Reject,
    Rows,
    Texts,
    Turn,
    chat,
)
from sftrecipe_registry.shared.replies.thoughts import Kept, KeptThought
from sftrecipe_registry.shared.text.row_text import parted

texts = Texts(__package__)

_BESIDE = ("tools", "images", "videos", "audios")
"""Columns that are part of what is asked."""


class Preference(KeptThought, Generator):
    """Group answered rows by their question; the best answer is `chosen`, the worst `rejected`.

    Answers come from `respond` with `samples`, or from several streams; their scores from any
    filter before this block. Of equal scores the first counts, as Magpie's arg-max and arg-min do.
    Rejects: one a question, `one_answer`, or `small_margin` with the margin; one a row, `no_score`.
    """

    paper: ClassVar[str] = (
        "Best-of-n pairs of Magpie (arXiv 2406.08464): 5 answers at temperature 0.8, the best and "
        "the worst by a reward model"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "no_score": ("score",),
        "one_answer": (),
        "small_margin": ("margin",),
    }
    example: ClassVar[str] = """\
- id: pairs
  use: preference
  from: answered
  with: {score: rated, margin: 1}
"""

    score: str
    """Name of the score: the id of the filter that gave it."""
    best: Literal["highest", "lowest"] = "highest"
    """Which score is the best: `lowest` for perplexities and the like."""
    margin: Annotated[float, Ge(0)] = 0.0
    """How much better the chosen answer must be; 0: better at all."""

    reasoning: Kept = "drop"
    """Keep the thoughts before both answers, which are chat turns then, or drop them."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Rows without answers."""
        if inputs is not None and not inputs & {"output", "messages"}:
            yield OptionProblem(("score",), texts("no-answers"))

    def columns(self, inputs: Inputs) -> Inputs:
        """Chosen and rejected instead of the output."""
        return None if inputs is None else inputs - {"output", "reasoning"} | {"chosen", "rejected"}

    def expected(self, least: int, most: int | None) -> Expected:
        """No calls; at most a pair of two rows."""
        return Expected((0, 0), (0, None if most is None else most // 2))

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """A pair for each question, in the order of the questions' first answers."""
        groups: dict[str, list[_Answer]] = {}
        for row in rows:
            if self.score not in row.scores:
                yield Reject(row, "no_score", f"there is no score '{self.score}'")
                continue
            asked, found = parted(row.columns)[:2]
            answer = found or ""
            beside = [row.columns.get(name) for name in _BESIDE]
            answers = groups.setdefault(orjson.dumps([asked, beside]).decode(), [])
            if answer in (other.text for other in answers):
                ctx.count("equal answers")
            else:
                answers.append(_Answer(answer, row.scores[self.score], row))
        for answers in groups.values():
            yield self._pair(answers, ctx)

    def _pair(self, answers: Sequence[_Answer], ctx: Context) -> Record | Reject:
        sign = 1 if self.best == "highest" else -1
        chosen, rejected = best_and_worst([sign * answer.score for answer in answers])
        best, worst = answers[chosen], answers[rejected]
        margin = sign * (best.score - worst.score)
        parents = [answer.row for answer in answers]
        columns = {
            **best.row.columns,
            "chosen": self._answer(best),
            "rejected": self._answer(worst),
        }
        for name in ("output", "reasoning"):
            columns.pop(name, None)
        if "messages" in columns:
            columns["messages"] = parted(best.row.columns).before
        if len(answers) == 1:
            return ctx.reject(columns, "one_answer", parents=parents)
        if margin < self.margin or margin == 0:
            return ctx.reject(columns, "small_margin", margin, parents=parents)
        scores = {"chosen": best.score, "rejected": worst.score}
        return ctx.row(columns, parents=parents, scores=scores, tags=best.row.tags)

    def _answer(self, answer: _Answer) -> str | Turn:
        turns = chat(answer.row.columns)
        if not turns or turns[-1]["role"] != "assistant":
            return answer.text
        turn: Turn = {"role": "assistant", "content": turns[-1]["content"]}
        if calls := turns[-1].get("tool_calls"):
            turn["tool_calls"] = calls
        if (thought := turns[-1].get("reasoning")) and self.reasoning == "keep":
            turn["reasoning"] = thought
        return turn if len(turn) > 2 else answer.text


class _Answer(NamedTuple):
    text: str
    score: float
    row: Record


def best_and_worst(scores: Sequence[float]) -> tuple[int, int]:
    """Places of the highest and the lowest score, the first of equal ones each."""
    places = range(len(scores))
    return max(places, key=scores.__getitem__), min(places, key=scores.__getitem__)
