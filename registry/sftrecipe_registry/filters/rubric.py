"""Keep rows that a model judges good enough by a rubric."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean
from typing import Annotated, ClassVar

from annotated_types import Gt

from sftrecipe import Context, Record, RowFilter, Verdict
from sftrecipe.kinds import Capability, Expected, Inputs, OptionFiles, OptionProblem
from sftrecipe.options import PromptMarker, Sampling
from sftrecipe_registry.shared.last_answer import parted
from sftrecipe_registry.shared.one_prompt import ask_once
from sftrecipe_registry.shared.score_line import last_score
from sftrecipe_registry.shared.spoken import spoken

_VARIABLES = frozenset({"instruction", "input", "output"})


class Rubric(Sampling, RowFilter):
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
    example: ClassVar[str] = "{use: rubric, provider: judge, with: {at_least: 4, samples: 3}}"

    prompt: Annotated[str, PromptMarker(variables=_VARIABLES)] = "builtin:rubric/self_curation"
    """The rubric: `builtin:rubric/self_curation`, one of UltraFeedback's aspects
    (`builtin:rubric/instruction_following`, `…/truthfulness`, `…/honesty`, `…/helpfulness`), or one
    of your own, the text or a `.j2` file (Jinja2), such as `"Is this advice safe to follow? {{
    output }} End with a line 'Score: n', n from 1 (no) to 5 (yes)."`. It is given `instruction`,
    `input`, `output` (of chat turns what was said before the last answer, and that answer) and the
    row's columns."""
    at_least: float = 4.0
    """Keep rows whose mean score is this or more."""
    worst: float = 1.0
    """Lowest score of the rubric's scale; others count as no score."""
    best: float = 5.0
    """Highest score of the scale."""
    samples: Annotated[int, Gt(0)] = 1
    """Replies to average."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A scale upside down; a threshold off the scale; samples that are all the same."""
        if self.worst >= self.best:
            yield OptionProblem(("best",), f"'{self.best:g}' is not above worst '{self.worst:g}'")
        elif not self.worst <= self.at_least <= self.best:
            told = f"'{self.at_least:g}' is not on the scale {self.worst:g} to {self.best:g}"
            yield OptionProblem(("at_least",), told)
        if self.samples > 1 and self.temperature == 0:
            yield OptionProblem(
                ("samples",), "samples at temperature 0 are all the same", "temperature: 0.7"
            )

    def expected(self, least: int, most: int | None) -> Expected:
        """`samples` calls a row."""
        top = None if most is None else most * self.samples
        return Expected((least * self.samples, top), (0, most))

    async def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The mean of the samples' scores against the threshold."""
        prompt = ctx.prompt(self.prompt).render(_given(row))
        scores, calls, said = [], [], ""
        for sample in range(self.samples):
            reply = await ask_once(ctx.model, prompt, self.sampling(), sample=sample)
            calls.append(reply.key)
            said = reply.text
            score = last_score(reply.text, self.worst, self.best)
            if score is None:
                ctx.count("replies without a score")
            else:
                scores.append(score)
        if not scores:
            return Verdict(False, "no_score", detail=said.strip()[-200:], calls=tuple(calls))
        mean = fmean(scores)
        return Verdict(mean >= self.at_least, "low_score", mean, calls=tuple(calls))


def _given(row: Record) -> dict[str, object]:
    """What the rubric is filled with."""
    if "messages" not in row.columns:
        return {"instruction": "", "input": "", "output": "", **row.columns}
    before, answer = parted(row.columns)
    return {**row.columns, "instruction": spoken(before), "input": "", "output": answer or ""}
