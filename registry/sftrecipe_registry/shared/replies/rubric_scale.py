"""Scoring an answer by a rubric, on a scale: the score stands at the end of a judge's reply."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import ceil, floor
from statistics import fmean
from typing import Annotated, Any, NamedTuple

from annotated_types import Gt

from sftrecipe.plugin import (
    ANY_COLUMN,
    Columns,
    Context,
    OptionProblem,
    PromptMarker,
    Reply,
    Sampling,
    Texts,
)
from sftrecipe_registry.shared.replies.reply import ask_once
from sftrecipe_registry.shared.text.row_text import parted, spoken

texts = Texts(__package__)
_LINE = re.compile(
    r"(?:score|rating|评分|得分|分数|打分)\W{0,8}?(?P<score>-?\d+(?:\.\d+)?)(?![\d.]*\d)",
    re.IGNORECASE,
)


def last_score(text: str, worst: float, best: float) -> float | None:
    """The number of the last `Score: n` (`**Score:** 4/5`, `评分：4`) that lies on the scale.

    The last one counts: judges are asked to give their reasons first, and may speak of scores in
    them. None where there is none. Source: Self-Alignment with Instruction Backtranslation (arXiv
    2308.06259), table 19.
    """
    scores = [float(found["score"]) for found in _LINE.finditer(text)]
    if not scores or not worst <= scores[-1] <= best:
        return None
    return scores[-1]


class Rated(NamedTuple):
    """What came of asking for a score."""

    score: float | None
    """The mean of the samples that gave one; None where none did."""
    replies: tuple[Reply, ...]


class RubricScale(Sampling):
    """Options of plugins that let a model score answers."""

    prompt: Annotated[
        str,
        PromptMarker(
            variables=frozenset({"instruction", "input", "output"}),
            shows=(frozenset({"instruction", "input", "output", ANY_COLUMN}),),
        ),
    ] = "builtin:rubric/self_curation"
    """The rubric: `builtin:rubric/self_curation`, one of UltraFeedback's aspects
    (`builtin:rubric/instruction_following`, `…/truthfulness`, `…/honesty`, `…/helpfulness`),
    `builtin:rubric/safety` (hazards S1 to S14 of MLCommons and Llama Guard: 1 unsafe, 5 none), or
    one of your own, the text or a `.j2` file (Jinja2), such as `"Is this advice safe to follow? {{
    output }} End with a line 'Score: n', n from 1 (no) to 5 (yes)."`. It is given `instruction`,
    `input`, `output` (of chat turns what was said before the last answer, and that answer) and the
    row's columns."""
    worst: float = 1.0
    """Lowest score of the rubric's scale; others count as no score."""
    best: float = 5.0
    """Highest score of the scale."""
    samples: Annotated[int, Gt(0)] = 1
    """Replies to average."""

    structured: bool = False
    """Hold the replies to a JSON Schema (reasons, then a whole number on the scale), where a judge
    does not keep to the form by itself: a score is then certain, a sensible one is not."""

    def scale_problems(self) -> Iterator[OptionProblem]:
        """A scale upside down; samples that are all the same."""
        if self.worst >= self.best:
            told = texts("best-not-above", best=self.best, worst=self.worst)
            yield OptionProblem(("best",), told)
        if self.samples > 1 and self.temperature == 0:
            yield OptionProblem(("samples",), texts("samples-alike"), "temperature: 0.7")

    async def rate(self, variables: Mapping[str, Any], ctx: Context) -> Rated:
        """The block's provider's mean score, by the rubric filled with the variables.

        Raises CallFailed.
        """
        prompt = ctx.prompt(self.prompt).render(variables)
        scores, replies = [], []
        for sample in range(self.samples):
            reply = await ask_once(
                ctx.model, prompt, self.sampling(), sample=sample, schema=self._schema()
            )
            replies.append(reply)
            score = last_score(reply.text, self.worst, self.best)
            if score is None:
                ctx.count("replies without a score")
            else:
                scores.append(score)
        return Rated(fmean(scores) if scores else None, tuple(replies))

    def _schema(self) -> Mapping[str, Any] | None:
        if not self.structured:
            return None
        scale = list(range(ceil(self.worst), floor(self.best) + 1))
        return {
            "type": "object",
            "properties": {
                "reasons": {"type": "string", "maxLength": 300},
                "score": {"type": "integer", "enum": scale},
            },
            "required": ["reasons", "score"],
            "additionalProperties": False,
        }


def rubric_variables(columns: Columns) -> dict[str, Any]:
    """What a rubric is filled with: the row's columns, of several turns what was said."""
    if "messages" not in columns and not columns.get("history"):
        return {"instruction": "", "input": "", "output": "", **columns}
    before, answer, _ = parted(columns)
    return {**columns, "instruction": spoken(before), "input": "", "output": answer or ""}
