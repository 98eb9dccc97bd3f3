"""No row that holds what a benchmark asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    KEEP,
    Capability,
    Columns,
    Context,
    Expected,
    Filter,
    InputFile,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    StreamName,
    Texts,
    Verdict,
)
from sftrecipe_registry.filters.repeats.benchmark_items import Item, items_of
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.row_text import CONTENT, Field, said, seen_columns, with_said
from sftrecipe_registry.shared.vectors.packaged_embedding import (
    INSTALL,
    MODULE,
    PACKAGE,
    EmbeddedBy,
    model_is_missing,
)

if TYPE_CHECKING:
    from sftrecipe_registry.filters.repeats.meant_questions import Meant
    from sftrecipe_registry.filters.repeats.ngram_index import Match, NgramIndex

texts = Texts(__package__)

_CHARACTERS = 1 << 19
"""Of rows that are searched together."""
_COMPARED = 0.55
"""Cosine from which on a row is compared with a question."""
_SHOWN = 200
"""Characters of a matched span that a reject shows."""


class Decontaminate(Filter):
    """Find rows that hold a benchmark's question, or 13 words of one in a row (after GPT-3's).

    Looked for is an item's question; a question of few words, or one that several items share, only
    together with half of its options, and an option never alone. Of other texts of an item, such as
    a long solution, runs are found. A run that stands in three questions of a benchmark is a phrase
    of its makers, and none. A question of 8 to 12 words is found as a whole, anywhere; one of 4 to
    7 where it stands by itself; shorter ones are left out and counted. Of Chinese and Japanese 1.5
    characters count as a word. Half of a long question is found where it begins a text. Case,
    width, punctuation and spacing make no difference, nor does how a number is written; another
    number makes another question. Rejects
    `contaminated` with the share of the row's words that is found; the detail is the benchmark's
    item and the matched span; with `embedding` also `same_question` with the cosine. Counts rows by
    benchmark. 7,000 bytes are held of an item of 30 words.
    """

    version: ClassVar[str] = "3"

    paper: ClassVar[str] = (
        "Brown et al. 2020, Language Models are Few-Shot Learners (arXiv 2005.14165), appendix C"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "contaminated": ("words", "fewest", "action"),
        "same_question": ("cosine", "embedding"),
    }
    example: ClassVar[str] = (
        "{use: decontaminate, with: {benchmarks: [evals/vicuna.jsonl], ignore_above: 10}}"
    )

    benchmarks: tuple[InputFile, ...] = ()
    """Files with the benchmarks' items: .jsonl, .json, .csv, .parquet, or .txt with one a line;
    packed ones too (gz, bz2, xz, zst, zip)."""
    against: tuple[StreamName, ...] = ()
    """Streams and sources that hold benchmarks."""
    columns: tuple[str, ...] = ()
    """Columns of the benchmarks with what is asked; left out: the first of `instruction` with
    `input`, `question`, `query`, `prompt`, `problem`, the first turn …, with the options that
    stand in others."""
    field: Field = None
    """Column, or list of columns of the rows to search; left out: all that is said in the row."""
    action: Literal["drop", "mask", "report"] = "drop"
    """`drop` the row; `mask` what is found, and keep it; `report`, keep it as it is. Kept rows
    carry the share found as score and the detail as tag, under the block's id."""
    mask: str = "[...]"
    """What stands for a masked span."""
    words: Annotated[int, Gt(0)] = 13
    """Words of a run."""
    fewest: Annotated[int, Gt(0)] = 8
    """Benchmark texts with fewer words are looked for as whole texts."""
    ignore_above: Annotated[int, Ge(1)] | None = None
    """Ignore runs that stand in more rows than this: they are common phrases (GPT-3: 10). All rows
    are then searched twice."""

    embedding: EmbeddedBy | None = None
    """Compare what is asked by its meaning too, which finds most of what is said in other words and
    half of what is translated: `packaged`, a small model of 16 languages (`pip install
    'sftrecipe[embeddings]'`); `provider`, the block's provider, a call a row and item, and some for
    answers. What is found by that alone has no passage to mask: it is dropped, or reported."""
    cosine: Annotated[float, Gt(0), Le(1)] | None = None
    """With `embedding`: cosine from which on a row is compared with a question, 0.55 if left out.
    It asks the same if the row gives the answer that the benchmark has, if both have the same two
    numbers or more, or if no fact differs; not if another number, option or answer is told."""

    def required(self) -> frozenset[Capability]:
        """Embeddings, where a provider makes them."""
        return frozenset({"embed"} if self.embedding == "provider" else ())

    def expected(self, least: int, most: int | None) -> Expected:
        """An embedding a row and item, where a provider makes them."""
        if self.embedding != "provider":
            return Expected((0, 0), (0, most))
        return Expected((least, None), (0, most))

    def check_machine(self) -> Iterator[MachineCheck]:
        """The packaged model."""
        if self.embedding == "packaged":
            yield package_check(MODULE, PACKAGE, INSTALL)

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; files of another kind; a model that is not installed."""
        if self.embedding == "packaged" and model_is_missing():
            told = texts("embedding-needs-package", package=PACKAGE)
            yield OptionProblem(("embedding",), told, INSTALL)
        if self.cosine is not None and self.embedding is None:
            yield OptionProblem(("cosine",), texts("cosine-alone"), texts("set-embedding"))
        if not self.benchmarks and not self.against:
            yield OptionProblem((), texts("no-benchmarks"), texts("set-benchmarks"))
        if self.fewest > self.words:
            told = texts("fewest-above-words", fewest=self.fewest, words=self.words)
            yield OptionProblem(("fewest",), told)
        from sftrecipe_registry.shared.files.packed_files import plain_name  # noqa: PLC0415 - slow
        from sftrecipe_registry.shared.readers.table_files import SUFFIXES  # noqa: PLC0415

        for place, name in enumerate(self.benchmarks):
            path = Path(name.lower())
            if path.suffix != ".zip" and Path(plain_name(path.name)).suffix not in SUFFIXES:
                told = texts("no-table-file", name=name, kinds=", ".join(SUFFIXES))
                yield OptionProblem(("benchmarks", place), told)
        if self.columns and not self.against:
            yield from self._lacking(files)

    def _lacking(self, files: OptionFiles) -> Iterator[OptionProblem]:
        """Columns that no benchmark has, where all of them can be read."""
        from sftrecipe_registry.filters.repeats.benchmark_columns import first_columns  # noqa: PLC0415

        known: set[str] = set()
        for name in self.benchmarks:
            held = first_columns(files.paths[name]) if name in files.paths else None
            if held is None:
                return
            known |= held
        for place, column in enumerate(self.columns):
            if known and column not in known:
                told = texts("no-column", column=column, columns=", ".join(sorted(known)))
                yield OptionProblem(("columns", place), told)

    async def judge(self, rows: Rows, ctx: Context) -> AsyncIterator[Verdict]:
        """Every row's verdict, in order.

        Raises PluginRefused where a benchmark cannot be read or has no text.
        """
        from sftrecipe_registry.filters.repeats.ngram_index import NgramIndex  # noqa: PLC0415 - numpy

        items = [*self._items(ctx)]
        index = NgramIndex(items, self.words, self.fewest)
        if not index.size:
            raise PluginRefused(texts("no-benchmark-text"))
        if index.left_out:
            ctx.count("benchmark texts too short", index.left_out)
        common = self._common(rows, index)
        if common:
            ctx.count("ignored runs", len(common))
        meant = await self._meant(items, rows, ctx)
        for place, searched in enumerate(self._searched(rows, index)):
            verdict = self._verdict(searched.without(common), ctx)
            yield (
                self._of_meaning(meant[place], ctx)
                if verdict == KEEP and place in meant
                else verdict
            )

    async def _meant(self, items: list[Item], rows: Rows, ctx: Context) -> dict[int, Meant]:
        if self.embedding is None:
            return {}
        from sftrecipe_registry.filters.repeats.meant_questions import (  # noqa: PLC0415 - numpy
            meant_questions,
        )

        at_least = _COMPARED if self.cosine is None else self.cosine
        return await meant_questions(items, [*rows], self.embedding, at_least, ctx)

    def _of_meaning(self, meant: Meant, ctx: Context) -> Verdict:
        ctx.count(meant.item.benchmark)
        detail = f"{meant.item.name}: {' '.join(meant.item.text.split())[:_SHOWN]}"
        if self.action == "report":
            return Verdict(True, value=meant.cosine, tags={ctx.step: detail})
        return Verdict(False, "same_question", meant.cosine, detail)

    def _items(self, ctx: Context) -> Iterator[Item]:
        for file in self.benchmarks:
            for name, columns in _file_items(ctx.path(file), file, ctx):
                yield from items_of(columns, self.columns, file, name)
        for stream in self.against:
            for row in ctx.streams[stream]:
                yield from items_of(row.columns, self.columns, stream, f"{stream} {row.id}")

    def _common(self, rows: Rows, index: NgramIndex) -> frozenset[int]:
        """N-grams that stand in too many rows."""
        if self.ignore_above is None:
            return frozenset()
        held: Counter[int] = Counter()
        for searched in self._searched(rows, index):
            held.update({match.gram for matches in searched.matches for match in matches})
        return frozenset(gram for gram, count in held.items() if count > self.ignore_above)

    def _searched(self, rows: Iterable[Record], index: NgramIndex) -> Iterator[_Searched]:
        """Every row with what was found in it."""
        for batch in self._batches(rows):
            texts = [text for _, some in batch for text in some]
            found, counts = index.find(texts)
            start = 0
            for row, some in batch:
                end = start + len(some)
                matches = [_with_options(each, some, index) for each in found[start:end]]
                yield _Searched(row, some, matches, sum(counts[start:end]))
                start = end

    def _batches(self, rows: Iterable[Record]) -> Iterator[list[tuple[Record, list[str]]]]:
        batch: list[tuple[Record, list[str]]] = []
        size = 0
        for row in rows:
            texts = [*said([row.columns.get(name) for name in self._names(row.columns)])]
            batch.append((row, texts))
            size += sum(map(len, texts)) + 1
            if size >= _CHARACTERS:
                yield batch
                batch, size = [], 0
        yield batch

    def _names(self, columns: Columns) -> Sequence[str]:
        if self.field is None:
            return CONTENT
        named = (self.field,) if isinstance(self.field, str) else self.field
        return seen_columns(columns, named)

    def _verdict(self, searched: _Searched, ctx: Context) -> Verdict:
        matches = [match for some in searched.matches for match in some]
        if not matches:
            return KEEP
        for benchmark in sorted({match.item.benchmark for match in matches}):
            ctx.count(benchmark)
        share, detail = searched.share(), searched.detail()
        if self.action == "drop":
            return Verdict(False, "contaminated", share, detail)
        changes = self._masked(searched) if self.action == "mask" else {}
        return Verdict(True, value=share, changes=changes, tags={ctx.step: detail})

    def _masked(self, searched: _Searched) -> dict[str, Any]:
        """The columns that change."""
        spans = iter([_merged(matches) for matches in searched.matches])

        def change(text: str) -> str:
            for begin, end in reversed(next(spans)):
                text = f"{text[:begin]}{self.mask}{text[end:]}"
            return text

        columns = searched.row.columns
        masked = {name: with_said(columns.get(name), change) for name in self._names(columns)}
        return {name: value for name, value in masked.items() if value != columns.get(name)}


class _Searched(NamedTuple):
    """A row, its texts, what was found in each, and how many words there are."""

    row: Record
    texts: list[str]
    matches: list[list[Match]]
    words: int

    def without(self, common: frozenset[int]) -> _Searched:
        """Without some n-grams."""
        if not common:
            return self
        return self._replace(
            matches=[[each for each in some if each.gram not in common] for some in self.matches]
        )

    def share(self) -> float:
        """Share of the words that stand in a benchmark."""
        from sftrecipe_registry.shared.near_duplicates.token_hashes import tokens_of  # noqa: PLC0415 - numpy

        spans = zip(self.texts, map(_merged, self.matches), strict=True)
        found = [text[begin:end] for text, some in spans for begin, end in some]
        return len(tokens_of(found).hashes) / self.words

    def detail(self) -> str:
        """The item of the longest span, and the span."""
        every = [
            (end - begin, text[begin:end], matches, begin, end)
            for text, matches in zip(self.texts, self.matches, strict=True)
            for begin, end in _merged(matches)
        ]
        _, span, matches, begin, end = max(every, key=lambda each: each[0])
        first = next(each for each in matches if begin <= each.begin and each.end <= end)
        return f"{first.item.name}: {' '.join(span.split())[:_SHOWN]}"


def _with_options(matches: list[Match], said: Sequence[str], index: NgramIndex) -> list[Match]:
    """Without those whose options the row lacks, where they are needed."""
    return [match for match in matches if not index.without_options(match.item, said)]


def _merged(matches: list[Match]) -> list[tuple[int, int]]:
    """Spans of characters that the matches cover, in order, none overlapping."""
    spans: list[tuple[int, int]] = []
    for begin, end in sorted((match.begin, match.end) for match in matches):
        if spans and begin <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        else:
            spans.append((begin, end))
    return spans


def _file_items(path: Path, shown: str, ctx: Context) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of a benchmark's file, of an archive all of them, with its name and line."""
    from sftrecipe_registry.shared.files.data_files import FileKind, data_files  # noqa: PLC0415 - slow
    from sftrecipe_registry.shared.readers.rows import BadLine  # noqa: PLC0415
    from sftrecipe_registry.shared.readers.table_files import SUFFIXES, table_rows  # noqa: PLC0415

    for file, name in data_files(path, shown, FileKind("decontaminate", SUFFIXES), ctx):
        for found in table_rows(file):
            if isinstance(found, BadLine):
                fault = f"{found.reason} {found.detail}".strip()
                told = texts("benchmark-unreadable", name=name, line=found.line, fault=fault)
                raise PluginRefused(told)
            line, columns = found
            yield f"{name}:{line}", columns
