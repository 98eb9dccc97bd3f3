"""Data sets that LLaMA-Factory loads, every row of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from heapq import nsmallest
from math import ceil, floor, sqrt
from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import Ge

from sftrecipe import Exporter, PluginRefused, Record, Rows
from sftrecipe.kinds import (
    DataSet,
    ExportContext,
    Inputs,
    OptionFiles,
    OptionProblem,
    RowCheck,
    RowKind,
    Unfit,
)
from sftrecipe_registry.shared.data_set_kind import (
    DataSetKind,
    OtherKind,
    data_set_kind,
    possible_kinds,
)
from sftrecipe_registry.shared.data_set_name import Name, data_set_name
from sftrecipe_registry.shared.llamafactory_conversation import (
    Preference,
    Unusable,
    conversation,
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

_ALL = 2**64


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
    (stages rm, dpo); `kto`, whether the answer is good (`label`: true or false, 1 or 0, good or
    bad, 👍 or 👎, 好 or 坏 …). Left out: what most of the first 1000 rows have; rows of another
    kind are left out then, and a `label` that mostly holds other words judges nothing."""
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

    def writes(self, name: str) -> Sequence[DataSet]:
        """The data set, and the holdout where there is one."""
        name = data_set_name(self.name, name)
        names = [name, f"{name}_holdout"] if self.holds_out() else [name]
        files = [(each, f"{each}.{self.file}") for each in names]
        return [DataSet(each, (file,), 0, {"file_name": file}) for each, file in files]

    def check_options(self) -> Mapping[str, object]:
        """Those that are set of the options that decide which rows are written."""
        names = {"formatting", "preference", "keep"}
        return self.model_dump(mode="json", include=names, exclude_defaults=True)

    def check_of(self, first: Sequence[Record]) -> RowCheck:
        """What LLaMA-Factory would drop, fail on or misread."""
        kind = self._kind(first)

        def check(record: Record) -> Unfit | None:
            try:
                self._row(record, kind)
            except OtherKind as other:
                return Unfit(other.reason, other.value, other.teaches)
            except Unusable as error:
                return Unfit(error.reason, error.value)
            return None

        return check

    def row_kinds(self, inputs: Inputs) -> frozenset[RowKind]:
        """What the options say, else what the columns allow."""
        return possible_kinds(self.preference, inputs, text=self.formatting == "text")

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
        kind = self._kind(rows)
        preference = kind.preference
        limit = self._limit(rows, kind)
        rejected: Counter[str] = Counter()
        with ExitStack() as stack:
            parts: dict[Part, _Part] = {}
            for record in rows:
                try:
                    row, asked = self._row(record, kind)
                except Unusable as error:
                    if isinstance(error, OtherKind):
                        to.context.count(f"other_{error.teaches}")
                    rejected[error.reason] += 1
                    to.reject(record, error.reason, error.value)
                    continue
                role: Part = "holdout" if _draw(asked) < limit else "train"
                if role not in parts:
                    parts[role] = self._open(role, preference, to, stack)
                parts[role].write(row)
                if preference == "kto":
                    to.context.count("judged_good" if row["label"] else "judged_bad")
                elif kind.unread and record.columns.get("label") is not None:
                    to.context.count("unjudging_labels")
                if role == "holdout":
                    to.hold_out(record)
            if "train" not in parts:
                raise PluginRefused(_why_none(parts, rejected))
        return [self._data_set(parts[role], kind) for role in ("train", "holdout") if role in parts]

    def _kind(self, rows: Iterable[Record]) -> DataSetKind:
        first = (record.columns for record in rows)
        return data_set_kind(self.preference, first, text=self.formatting == "text")

    def _limit(self, rows: Rows, kind: DataSetKind) -> int:
        """Rows whose draw is below it are held out."""
        if self.holdout < 1:
            return int(self.holdout * _ALL)
        draws = nsmallest(int(self.holdout), self._draws(rows, kind))
        return draws[-1] + 1 if draws else 0

    def _draws(self, rows: Rows, kind: DataSetKind) -> Iterator[int]:
        for record in rows:
            try:
                yield _draw(self._row(record, kind)[1])
            except Unusable:
                continue

    def _row(self, record: Record, kind: DataSetKind) -> tuple[dict[str, Any], str]:
        """The row, and what it asks. Raises Unusable."""
        kept, columns = frozenset(self.keep), kind.taken(record.columns)
        if self.formatting == "text":
            row = text_row(columns)
            check_text(row["text"], kept)
            return row, row["text"]
        talk = conversation(columns, kind.preference)
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

    def _data_set(self, part: _Part, kind: DataSetKind) -> DataSet:
        file = f"{part.name}.{self.file}"
        made = entry(file, self.formatting, kind.preference, part.used)
        return DataSet(part.name, (file,), part.rows, made, part.role, kind=kind.teaches)


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
