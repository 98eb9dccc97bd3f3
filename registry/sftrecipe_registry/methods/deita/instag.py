"""InsTag: intentions as tags, and the rows that cover most of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, NamedTuple

from annotated_types import Gt, Le

from sftrecipe.plugin import (
    ANY_COLUMN,
    CallFailed,
    Capability,
    Context,
    Expected,
    Filter,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    ProviderMarker,
    Record,
    Reply,
    Rows,
    Sampling,
    Texts,
    Verdict,
)
from sftrecipe_registry.methods.deita.intent_tags import (
    SCHEMA,
    Tags,
    by_frequency,
    complexity_first,
    implied,
    read_tags,
    renamed,
    without_rare,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.replies.on_failure import OnFailure, call_keys
from sftrecipe_registry.shared.replies.reply import ask_once
from sftrecipe_registry.shared.text.row_text import parted, spoken
from sftrecipe_registry.shared.vectors.packaged_embedding import (
    INSTALL,
    MODULE,
    PACKAGE,
    model_is_missing,
)

texts = Texts(__package__)


class _Answered(NamedTuple):
    """What the model said of a row."""

    tags: Tags
    verdict: Verdict
    """On a row without tags."""


class InsTag(Sampling, Filter):
    """Ask a model for the intentions of every request, and keep rows that are rich and diverse.

    The tags are normalised: lower case, marks as spaces, rare ones dropped, those of one meaning
    merged, then those that nearly always stand beside another. Rows are taken from the most tags to
    the fewest, each if it brings a tag that is not covered yet, in rounds, until there are `most`.
    Kept rows have the number of their tags as score, the tags themselves as the tag of the block's
    id. Counted are `tags` and `tags_covered`. Rejects `not_chosen` with that number. A row whose
    call failed, or without a tag that can be read or is common, stays untagged, behind all others
    where `most` chooses, and is told; `on_failure: drop` rejects it.
    """

    version: ClassVar[str] = "2"
    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Lu et al. 2024, InsTag (arXiv 2308.07074): normalisation without stemming, associations "
        "of pairs; complexity-first diverse sampling"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "no_tags": ("on_failure", "structured", "at_least"),
        "not_chosen": ("most",),
    }
    example: ClassVar[str] = "{use: instag, provider: judge, with: {most: 6000, at_least: 20}}"

    prompt: Annotated[
        str,
        PromptMarker(
            variables=frozenset({"instruction"}), shows=(frozenset({"instruction", ANY_COLUMN}),)
        ),
    ] = "builtin:instag/tags"
    """How the tags are asked for, the text or a `.j2` file (Jinja2): it is given `instruction` (of
    chat turns what was said before the last answer) and the row's columns; the reply is a JSON list
    of `{"tag": …}`, or of texts."""
    structured: bool = False
    """Hold the replies to a JSON Schema, where a model does not keep to the form by itself."""
    most: Annotated[int, Gt(0)] | None = None
    """Rows to keep; left out: all, with their tags. Rows without tags have what places are left,
    in their order; the others are rejected for the failure (`no_tags`, `call_failed` …)."""
    at_least: Annotated[int, Gt(0)] = 1
    """Rows that a tag stands in at least, others are dropped; 20 in the paper, of 300,000 rows."""
    same_meaning: Annotated[float, Gt(0), Le(1)] | None = None
    """Cosine above which a tag is merged into a more frequent one; 0.95 in the paper; left out:
    none is."""
    support: Annotated[int, Gt(0)] | None = None
    """Rows in which two tags stand together at least for the rarer to be merged into the other; 40
    in the paper; left out: none is."""
    confidence: Annotated[float, Gt(0), Le(1)] = 0.99
    """Share of the rarer tag's rows in which the other stands too, at least."""
    embedder: Annotated[str, ProviderMarker(frozenset({"embed"}))] | None = None
    """The provider that makes the tags' embeddings for `same_meaning`; left out: a small packaged
    model, `pip install 'sftrecipe[embeddings]'`."""
    on_failure: OnFailure = "keep"
    """What becomes of a row whose call failed, or that comes out without tags: `keep` leaves it,
    untagged, and tells how many there are; `drop` rejects it. `--retry-failed` asks again for what
    failed; a reply that cannot be read comes from the ledger again."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No embeddings to be had."""
        if self.same_meaning is not None and self.embedder is None and model_is_missing():
            told = texts("same-meaning-needs-embedder", package=PACKAGE)
            yield OptionProblem(("same_meaning",), told, texts("set-embedder", install=INSTALL))

    def check_machine(self) -> Iterator[MachineCheck]:
        """The packaged model."""
        if self.same_meaning is not None and self.embedder is None:
            yield package_check(MODULE, PACKAGE, INSTALL)

    def expected(self, least: int, most: int | None) -> Expected:
        """A call a row; a provider's embeddings of the tags come to that."""
        is_known = self.same_meaning is None or self.embedder is None
        kept = most if self.most is None or most is None else min(most, self.most)
        return Expected((least, most if is_known else None), (0, kept))

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order."""
        answered = [answer async for answer in self._answered(rows, ctx)]
        tags = await self._merged([answer.tags for answer in answered], ctx)
        budget = len(tags) if self.most is None else self.most
        kept = set(complexity_first(tags, budget))
        left = budget - len(kept) if self.on_failure == "keep" else 0
        ctx.count("tags", len(by_frequency(tags)))
        ctx.count("tags_covered", len({tag for place in kept for tag in tags[place]}))
        for place, answer in enumerate(answered):
            shown = "; ".join(tags[place])
            if not tags[place]:
                yield answer.verdict._replace(keep=left > 0, untagged=True)
                left -= 1
            elif place in kept:
                yield Verdict(
                    True,
                    value=len(tags[place]),
                    tags={ctx.step: shown},
                    calls=answer.verdict.calls,
                )
            else:
                verdict = answer.verdict._replace(reason="not_chosen", detail=shown)
                yield verdict._replace(value=len(tags[place]))

    async def _answered(self, rows: Rows, ctx: Context) -> AsyncIterator[_Answered]:
        async def ask(row: Record) -> Reply:
            prompt = ctx.prompt(self.prompt).render(_prompt_variables(row))
            schema = SCHEMA if self.structured else None
            return await ask_once(ctx.model, prompt, self.sampling(), schema=schema)

        async for _, reply in ctx.map(ask, rows):
            if isinstance(reply, CallFailed):
                failed = Verdict(False, reply.reason, detail=reply.message, calls=call_keys(reply))
                yield _Answered((), failed)
            else:
                said = reply.text.strip()[:200]
                without = Verdict(False, "no_tags", detail=said, calls=call_keys(reply))
                yield _Answered(read_tags(reply.text), without)

    async def _merged(self, tags: Sequence[Tags], ctx: Context) -> list[Tags]:
        common = without_rare(tags, self.at_least)
        if self.same_meaning is not None:
            common = renamed(common, await self._synonyms(by_frequency(common), ctx))
        if self.support is not None:
            common = renamed(common, implied(common, self.support, self.confidence))
        return common

    async def _synonyms(self, tags: Sequence[str], ctx: Context) -> dict[str, str]:
        """Tag → the more frequent tag of the same meaning."""
        from sftrecipe_registry.methods.deita.greedy_cosine import GreedyCosine  # noqa: PLC0415 - numpy
        from sftrecipe_registry.methods.deita.named_embedder import embedded_by  # noqa: PLC0415 - numpy

        vectors = await embedded_by(self.embedder, tags, ctx)
        ctx.count("tags_without_embedding", len(vectors.failed))
        leaders = GreedyCosine(self.same_meaning or 1.0)
        names = {}
        for place, row in vectors.row_of.items():
            if near := leaders.too_near(vectors.unit[row], place):
                names[tags[place]] = tags[near.place]
        return names


def _prompt_variables(row: Record) -> dict[str, object]:
    return {**row.columns, "instruction": spoken(parted(row.columns).before)}
