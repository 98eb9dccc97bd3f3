"""AugCon's rank and filter: the best questions of every context that differ from one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    ColumnName,
    Context,
    Filter,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.text.rouge import rouge_l
from sftrecipe_registry.shared.text.tokenizers import (
    Tokenize,
    TokenizerName,
    jieba_problems,
    tokenizer,
)

texts = Texts(__package__)

_SHOWN = 80
"""Characters of the nearest row that a reject shows."""


class AugConFilter(Filter):
    """Keep the best rows of every context, as many as it is good for, no two of them alike.

    Rows of one context stand together, as `augcon_queries` writes them. They are taken from the
    best score down; one is kept if its ROUGE-L with every one kept before is at most `max`, until
    there are enough. Rejects `too_similar` with the similarity and the nearest row, and `enough`.
    """

    paper: ClassVar[str] = "Quan 2024, AugCon (arXiv 2405.16579), rank and filter"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "enough": ("most",),
        "too_similar": ("max",),
    }
    example: ClassVar[str] = "{use: augcon_filter, on: queries, with: {score: scored, max: 0.7}}"

    field: ColumnName = "instruction"
    """The column that is compared."""
    per: ColumnName = "root"
    """The column that tells contexts apart."""
    score: str | None = None
    """Id of the filter block that scored the rows, `contrastive_scorer` usually; left out: the
    rows' own order is their rank (of a tree, its top first)."""
    most: Annotated[int, Gt(0)] | None = None
    """Rows to keep of a context; left out: as many as its column `wanted` says."""
    max: Annotated[float, Ge(0), Le(1)] = 0.7
    """The largest ROUGE-L with any row kept before."""
    measure: Literal["precision", "f1"] = "precision"
    """`precision`: the share of a row's tokens that stand in the other, as in the paper; `f1`."""
    tokenizer: TokenizerName = "auto"
    """As for the filter `rouge_novelty`."""
    strict_original: bool = False
    """As the released code: F1 as rouge-chinese computes it, over jieba's words, in any
    language."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A tokenizer that is not installed; rows that say nothing of their context."""
        asked = self.strict_original or self.tokenizer == "jieba"
        option = "strict_original" if self.strict_original else "tokenizer"
        yield from jieba_problems(asked=asked, option=option)
        if self.most is None and inputs is not None and "wanted" not in inputs:
            yield OptionProblem((), texts("no-column", column="wanted"), texts("set-most"))

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order. Raises PluginRefused where a row lacks its score."""
        split = tokenizer("jieba" if self.strict_original else self.tokenizer, ctx.language)
        for _, group in groupby(rows, key=lambda row: row.columns.get(self.per)):
            yield from self._chosen(list(group), split)
            ctx.count("contexts")

    def _chosen(self, rows: Sequence[Record], split: Tokenize) -> Iterator[Verdict]:
        ranks = sorted(range(len(rows)), key=lambda at: -self._score(rows[at]))
        verdicts: dict[int, Verdict] = {}
        kept: list[tuple[Record, list[str]]] = []
        for at in ranks:
            row = rows[at]
            if len(kept) >= self._enough(row):
                verdicts[at] = Verdict(False, "enough", len(kept))
                continue
            tokens = split(row.text(self.field))
            near = [self._similarity(tokens, others) for _, others in kept]
            nearest = max(near, default=0.0)
            if nearest > self.max:
                other = kept[near.index(nearest)][0]
                shown = f"{other.id} {other.text(self.field)[:_SHOWN]}"
                verdicts[at] = Verdict(False, "too_similar", nearest, shown)
                continue
            kept.append((row, tokens))
            verdicts[at] = Verdict(True, value=nearest)
        return (verdicts[at] for at in range(len(rows)))

    def _score(self, row: Record) -> float:
        if self.score is None:
            return 0.0
        if self.score not in row.scores:
            raise PluginRefused(texts("no-row-score", row=row.id, score=self.score))
        return row.scores[self.score]

    def _enough(self, row: Record) -> int:
        if self.most is not None:
            return self.most
        wanted = row.columns.get("wanted")
        if not isinstance(wanted, int):
            raise PluginRefused(texts("no-wanted-number", row=row.id))
        return wanted

    def _similarity(self, tokens: Sequence[str], kept: Sequence[str]) -> float:
        """Of a row to one that is kept."""
        if self.strict_original:
            return rouge_l(kept, tokens, epsilon=1e-8).f1
        measured = rouge_l(kept, tokens)
        return measured.precision if self.measure == "precision" else measured.f1
