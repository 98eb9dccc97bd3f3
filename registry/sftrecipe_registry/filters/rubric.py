"""Keep rows that a model judges good enough by a rubric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from sftrecipe.plugin import (
    Capability,
    Context,
    Expected,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.replies.reply import said
from sftrecipe_registry.shared.replies.rubric_scale import RubricScale, rubric_variables

texts = Texts(__package__)


class Rubric(RubricScale, RowFilter):
    """Ask a model to rate every row, and keep those that reach a score; by default self-curation.

    The rubric is a prompt that ends with asking for a last line `Score: n`; several samples are
    averaged. Kept rows carry the score under the block's id. Rejects: `low_score` with the score,
    `no_score` where no sample gave one.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Self-curation of Li et al. 2024, Self-Alignment with Instruction Backtranslation (arXiv "
        "2308.06259), §3.2: a 5-point scale, several samples averaged; aspects of Cui et al. 2024, "
        "UltraFeedback (arXiv 2310.01377)"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "low_score": ("at_least",),
        "no_score": (),
    }
    example: ClassVar[str] = "{use: rubric, provider: judge, with: {at_least: 4, samples: 3}}"

    at_least: float = 4.0
    """Keep rows whose mean score is this or more."""

    def required(self) -> frozenset[Capability]:
        """Replies held to a schema, where they are."""
        return self.needs | {"structured"} if self.structured else self.needs

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A scale upside down; a threshold off the scale; samples that are all the same."""
        yield from self.scale_problems()
        if self.worst < self.best and not self.worst <= self.at_least <= self.best:
            values = {"at_least": self.at_least, "worst": self.worst, "best": self.best}
            yield OptionProblem(("at_least",), texts("off-scale", **values))

    def expected(self, least: int, most: int | None) -> Expected:
        """`samples` calls a row."""
        top = None if most is None else most * self.samples
        return Expected((least * self.samples, top), (0, most))

    async def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The mean of the samples' scores against the threshold."""
        score, replies = await self.rate(rubric_variables(row.columns), ctx)
        calls = tuple(reply.key for reply in replies)
        if score is None:
            return Verdict(False, "no_score", detail=said(replies[-1])[-200:], calls=calls)
        return Verdict(score >= self.at_least, "low_score", score, calls=calls)
