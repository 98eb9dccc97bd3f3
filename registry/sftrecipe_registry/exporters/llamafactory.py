"""Data sets that LLaMA-Factory loads, every row of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from math import ceil, floor, sqrt
from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import Ge

from sftrecipe import Exporter, PluginRefused, Record, Rows
from sftrecipe.kinds import DataSet, ExportContext, Inputs, OptionFiles, OptionProblem
from sftrecipe_registry.shared.data_set_name import Name, data_set_name
from sftrecipe_registry.shared.llamafactory_conversation import (
    Preference,
    Unusable,
    conversation,
    preference_of,
)
from sftrecipe_registry.shared.llamafactory_files import (
    JsonFile,
    ParquetFile,
    RowFile,
    parquet_schema,
)
from sftrecipe_registry.shared.llamafactory_rows import (
    Doubt,
    Formatting,
    alpaca_row,
    check,
    check_text,
    entry,
    sharegpt_row,
    text_row,
)

Part = Literal["train", "holdout"]

_TALKS = frozenset({"messages", "conversations", "conversation", "chosen", "rejected"})
"""Columns that hold question and answer."""
_ASKED = frozenset({"instruction", "input"})
_ALL = 2**64
_FIRST = 1000


class LlamaFactory(Exporter):
    """Write a data set, and a holdout beside it, in LLaMA-Factory's formats with its entry.

    What LLaMA-Factory would drop, fail on or misread is rejected with its reason, so that as many
    examples are trained on as rows are written.
    """

    version: ClassVar[str] = "2"
    paper: ClassVar[str] = "LLaMA-Factory 0.9.5, data/README.md"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = dict.fromkeys(get_args(Doubt), ("keep",))
    example: ClassVar[str] = "{use: llamafactory, with: {formatting: alpaca, holdout: 0.1}}"

    formatting: Formatting = "alpaca"
    """`alpaca`: instruction, input, output, with system and history; `sharegpt`: messages with role
    and content, tool calls too; `text`: the `text` column alone, to pre-train on. Rows of either
    chat shape are written in both."""
    preference: Preference | None = None
    """What the rows teach: `none`, the answer; `ranking`, the better of `chosen` and `rejected`
    (stages rm, dpo); `kto`, whether the answer is good (`label`). Left out: what most of the first
    1000 rows have."""
    name: Name | None = None
    """Name of the data set; the recipe's where it is left out. The holdout is `NAME_holdout`."""
    holdout: Annotated[float, Ge(0)] = 0
    """Share of the rows (`0.1`) or their number (`200`) to keep apart for evaluation. Chosen by a
    hash of what is asked: a row stays on its side when rows are added (of a number, unless a new
    one takes its place), and rows that ask the same are never on both sides."""
    file: Literal["json", "parquet"] = "json"
    """`json`: a list, one row a line, in ASCII; `parquet`: for millions of rows, which
    LLaMA-Factory then reads in little memory."""
    keep: tuple[Doubt, ...] = ()
    """Doubtful rows to write all the same: `control_token` (text such as `<|im_end|>`, which the
    tokenizer takes for its own), `empty_answer`, `empty_prompt`, `equal_pair` (chosen and rejected
    are the same), `media_place` (`<image>` without a picture), `thought_call` (`<think>` before a
    tool call, which every template takes in another form)."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Options that contradict one another or that no row can meet."""
        if self.holdout > 1 and self.holdout != int(self.holdout):
            message = f"holdout '{self.holdout:g}' is neither a share nor a number of rows"
            yield OptionProblem(("holdout",), message, "write 0.1 for a tenth, 200 for 200 rows")
        if self.formatting == "text" and self.preference not in (None, "none"):
            message = f"preference '{self.preference}' has no place in formatting 'text'"
            yield OptionProblem(("preference",), message, "set formatting to alpaca or sharegpt")
        elif inputs is not None:
            yield from self._missing(inputs)

    def can_export(self, columns: frozenset[str]) -> bool:
        """Whether there is a question and an answer; of a text, whether there is one."""
        if self.formatting == "text":
            return "text" in columns
        plain = "output" in columns and not _ASKED.isdisjoint(columns)
        return plain or not _TALKS.isdisjoint(columns)

    def writes(self, name: str) -> Sequence[DataSet]:
        """The data set, and the holdout where there is one."""
        name = data_set_name(self.name, name)
        names = [name, f"{name}_holdout"] if self.holds_out() else [name]
        files = [(each, f"{each}.{self.file}") for each in names]
        return [DataSet(each, (file,), 0, {"file_name": file}) for each, file in files]

    def holds_out(self) -> bool:
        """Whether it writes a holdout."""
        return self.holdout > 0

    def expected_holdout(self, least: int, most: int | None) -> tuple[int, int | None]:
        """The number; of a share, it and what its draw may add or leave out."""
        if self.holdout >= 1:
            number = int(self.holdout)
            return min(number, least), number if most is None else min(number, most)
        top = None if most is None else min(most, ceil(self.holdout * most + self._spread(most)))
        return max(0, floor(self.holdout * least - self._spread(least))), top

    def _spread(self, rows: int) -> float:
        """Three standard deviations of how many of the rows a share draws."""
        return 3 * sqrt(rows * self.holdout * (1 - self.holdout))

    def _missing(self, inputs: frozenset[str]) -> Iterator[OptionProblem]:
        wanted: dict[str, tuple[str, ...]] = {"ranking": ("chosen", "rejected"), "kto": ("label",)}
        for column in wanted.get(self.preference or "", ()):
            if column not in inputs:
                message = f"preference '{self.preference}' needs column '{column}', no row has it"
                yield OptionProblem(("preference",), message)
        if self.formatting == "text" and "text" not in inputs:
            yield OptionProblem(
                ("formatting",), "formatting 'text' needs column 'text', no row has it"
            )

    def export(self, rows: Rows, to: ExportContext) -> Sequence[DataSet]:
        """Write the rows; every row that is left out is told with `to.reject`."""
        preference = self._preference(rows)
        limit = self._limit(rows, preference)
        rejected: Counter[str] = Counter()
        with ExitStack() as stack:
            parts: dict[Part, _Part] = {}
            for record in rows:
                try:
                    row, asked = self._row(record, preference)
                except Unusable as error:
                    rejected[error.reason] += 1
                    to.reject(record, error.reason, error.value)
                    continue
                role: Part = "holdout" if _draw(asked) < limit else "train"
                if role not in parts:
                    parts[role] = self._open(role, preference, to, stack)
                parts[role].write(row)
                if role == "holdout":
                    to.hold_out(record)
            if "train" not in parts:
                raise PluginRefused(_why_none(parts, rejected))
        return [
            self._data_set(parts[role], preference)
            for role in ("train", "holdout")
            if role in parts
        ]

    def _preference(self, rows: Rows) -> Preference:
        if self.formatting == "text":
            return "none"
        if self.preference is not None:
            return self.preference
        kinds = Counter(preference_of(row.columns) for row in islice(rows, _FIRST))
        return kinds.most_common(1)[0][0] if kinds else "none"

    def _limit(self, rows: Rows, preference: Preference) -> int:
        """Rows whose draw is below it are held out."""
        if self.holdout < 1:
            return int(self.holdout * _ALL)
        draws = nsmallest(int(self.holdout), self._draws(rows, preference))
        return draws[-1] + 1 if draws else 0

    def _draws(self, rows: Rows, preference: Preference) -> Iterator[int]:
        for record in rows:
            try:
                yield _draw(self._row(record, preference)[1])
            except Unusable:
                continue

    def _row(self, record: Record, preference: Preference) -> tuple[dict[str, Any], str]:
        """The row, and what it asks. Raises Unusable."""
        kept = frozenset(self.keep)
        if self.formatting == "text":
            row = text_row(record.columns)
            check_text(row["text"], kept)
            return row, row["text"]
        talk = conversation(record.columns, preference)
        row = alpaca_row(talk) if self.formatting == "alpaca" else sharegpt_row(talk)
        check(talk, kept)
        return row, "\0".join(turn.content for turn in talk.asked)

    def _open(
        self, role: Part, preference: Preference, to: ExportContext, stack: ExitStack
    ) -> _Part:
        name = data_set_name(self.name, to.name)
        if role == "holdout":
            name += "_holdout"
        file = stack.enter_context(to.create(f"{name}.{self.file}"))
        rows: RowFile = JsonFile(file)
        if self.file == "parquet":
            rows = ParquetFile(file, parquet_schema(self.formatting, preference))
        return _Part(role, name, stack.enter_context(rows))

    def _data_set(self, part: _Part, preference: Preference) -> DataSet:
        file = f"{part.name}.{self.file}"
        made = entry(file, self.formatting, preference, part.used)
        return DataSet(part.name, (file,), part.rows, made, part.role)


class _Part:
    """The train set or the holdout while it is written."""

    def __init__(self, role: Part, name: str, file: RowFile) -> None:
        self.role = role
        self.name = name
        self.file = file
        self.rows = 0
        self.used: set[str] = set()

    def write(self, row: dict[str, Any]) -> None:
        self.file.write(row)
        self.rows += 1
        self.used.update(row)


def _draw(asked: str) -> int:
    return int.from_bytes(blake2b(asked.encode(), digest_size=8).digest(), "big")


def _why_none(parts: dict[Part, _Part], rejected: Counter[str]) -> str:
    if "holdout" in parts:
        return f"all {parts['holdout'].rows} rows are held out: none is left to train on"
    if not rejected:
        return "there is no row to export"
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common(5))
    return f"no row can be exported: {reasons}"
