"""Keep rows whose answers a reward model finds good enough."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import ClassVar

from sftrecipe.plugin import (
    PAIR,
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
    chat,
)
from sftrecipe_registry.shared.replies.preference_pair import is_pair, pair_talks
from sftrecipe_registry.shared.text.row_text import parted

texts = Texts(__package__)

_ANSWERS = frozenset({"output", "messages", *PAIR})


class Reward(RowFilter):
    """Score every row's last answer with a reward model, on all that was said before it.

    A row with `chosen` and `rejected` has both scored: its value is the margin, the first reward
    less the second. With `min`, rows below it are dropped; without, all are kept, for `top` or
    `expression` to choose by the score, which has the block's id; a pair's rewards are
    `<id>_chosen` and `<id>_rejected`. Rewards are numbers of the model's own scale, to be compared
    with one another alone. Rejects: `low_reward`, `low_margin`, both with the value; `no_answer`.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"reward"})
    paper: ClassVar[str] = (
        "Ouyang et al. 2022, InstructGPT (arXiv 2203.02155), section 3.5: the reward model; Dong "
        "et al. 2023, RAFT (arXiv 2304.06767): fine-tuning on what it ranks highest"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "low_reward": ("min",),
        "low_margin": ("min",),
        "no_answer": (),
    }
    example: ClassVar[str] = "{id: rated, use: reward, provider: rm, with: {min: 0.5}}"

    min: float | None = None
    """Keep rows whose reward, or whose pair's margin, is this or more; left out: all of them."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Rows without answers."""
        if inputs is not None and not inputs & _ANSWERS:
            yield OptionProblem((), texts("no-answers"))

    def expected(self, least: int, most: int | None) -> Expected:
        """A call a row, two a pair; at most all rows stay."""
        return Expected((0, None if most is None else 2 * most), (0, most))

    async def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """Whether the reward, or the margin, is high enough."""
        if is_pair(row.columns):
            return await self._pair(row, ctx)
        answer = parted(row.columns).answer
        if not answer:
            return Verdict(False, "no_answer")
        reply = await ctx.model.reward(chat(row.columns))
        return self._verdict("low_reward", reply.reward, calls=(reply.key,))

    async def _pair(self, row: Record, ctx: Context) -> Verdict:
        """Raises CallFailed."""
        talks = pair_talks(row.columns)
        chosen, rejected = await asyncio.gather(*(ctx.model.reward(talk) for talk in talks))
        return self._verdict(
            "low_margin",
            chosen.reward - rejected.reward,
            calls=(chosen.key, rejected.key),
            scores={f"{ctx.step}_chosen": chosen.reward, f"{ctx.step}_rejected": rejected.reward},
        )

    def _verdict(
        self,
        reason: str,
        value: float,
        *,
        calls: tuple[str, ...],
        scores: Mapping[str, float] | None = None,
    ) -> Verdict:
        if self.min is not None and value < self.min:
            return Verdict(False, reason, value, calls=calls)
        return Verdict(True, value=value, scores=scores or {}, calls=calls)
