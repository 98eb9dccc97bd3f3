"""No row that holds what a benchmark asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt

from sftrecipe.plugin import (
    KEEP,
    ColumnName,
    Columns,
    Context,
    Filter,
    InputFile,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    StreamName,
    Texts,
    Verdict,
)
from sftrecipe_registry.shared.text.row_text import CONTENT, said, seen_columns, with_said

if TYPE_CHECKING:
    from sftrecipe_registry.filters.repeats.ngram_index import Item, Match, NgramIndex

texts = Texts(__package__)

_CHARACTERS = 1 << 19
"""Of rows that are searched together."""
_SHOWN = 200
"""Characters of a matched span that a reject shows."""


class Decontaminate(Filter):
    """Find rows with a run of 13 words that stands in a benchmark too, as GPT-3's authors did.

    Upper and lower case, punctuation and spacing make no difference; of Chinese and Japanese,
    characters count as words. Of a benchmark's text with 8 to 12 words the whole is looked for; one
    with 4 to 7 must be a row's text as a whole; shorter ones are left out and counted. Rejects
    `contaminated` with the share of the row's words that is found; the detail is the benchmark's
    item and the matched span. Counts rows by benchmark. 500 bytes an item and 16 a word of the
    benchmarks are held.
    """

    paper: ClassVar[str] = (
        "Brown et al. 2020, Language Models are Few-Shot Learners (arXiv 2005.14165), appendix C"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "contaminated": ("words", "fewest", "action")
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
    """Columns of the benchmarks to look for; left out: every text in them."""
    field: ColumnName | tuple[ColumnName, ...] | None = None
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

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; files of another kind."""
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

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order.

        Raises PluginRefused where a benchmark cannot be read or has no text.
        """
        from sftrecipe_registry.filters.repeats.ngram_index import NgramIndex  # noqa: PLC0415 - numpy

        index = NgramIndex([*self._items(ctx)], self.words, self.fewest)
        if not index.size:
            raise PluginRefused(texts("no-benchmark-text"))
        if index.left_out:
            ctx.count("benchmark texts too short", index.left_out)
        common = self._common(rows, index)
        if common:
            ctx.count("ignored runs", len(common))
        for searched in self._searched(rows, index):
            yield self._verdict(searched.without(common), ctx)

    def _items(self, ctx: Context) -> Iterator[Item]:
        from sftrecipe_registry.filters.repeats.ngram_index import Item  # noqa: PLC0415 - numpy

        for file in self.benchmarks:
            for name, columns in _file_items(ctx.path(file), file, ctx):
                for text in self._looked_for(columns):
                    yield Item(file, name, text)
        for stream in self.against:
            for row in ctx.streams[stream]:
                for text in self._looked_for(row.columns):
                    yield Item(stream, f"{stream} {row.id}", text)

    def _looked_for(self, columns: Any) -> Iterator[str]:
        if not self.columns:
            return _leaf_texts(columns)
        return _leaf_texts([columns.get(name) for name in self.columns])

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
                yield _Searched(row, some, found[start:end], sum(counts[start:end]))
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


def _leaf_texts(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _leaf_texts([*value.values()])
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaf_texts(item)
