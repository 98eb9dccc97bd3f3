"""Data sets that LLaMA-Factory loads, every row of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from heapq import nsmallest
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import Ge, Le

from sftrecipe.plugin import (
    FIRST_ROWS,
    PAIR,
    Context,
    DataSet,
    ExportContext,
    Exporter,
    Inputs,
    LaterMarker,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    RowCheck,
    RowKind,
    Rows,
    Text,
    Texts,
    Unfit,
)
from sftrecipe_registry.llamafactory.formats.conversation import (
    Conversation,
    Masks,
    Preference,
    conversation,
    up_to_each_learned,
)
from sftrecipe_registry.llamafactory.formats.data_set_kind import (
    LABELS,
    DataSetKind,
    OtherKind,
    data_set_kind,
    possible_kinds,
)
from sftrecipe_registry.llamafactory.formats.export_plan import (
    ALL,
    AskedRow,
    Part,
    Plan,
    asked_draw,
    count_labels,
    draw,
    most_masks,
    names_speakers,
)
from sftrecipe_registry.llamafactory.formats.files import WrittenPart, row_file
from sftrecipe_registry.llamafactory.formats.rows import (
    Doubt,
    Formatting,
    check,
    check_text,
    text_row,
)
from sftrecipe_registry.llamafactory.formats.turns import ANSWERS, THOUGHT_WORDS, Unusable
from sftrecipe_registry.llamafactory.formats.written_form import (
    check_form,
    written_entry,
    written_row,
    written_schema,
)
from sftrecipe_registry.llamafactory.holdout.apart_split import split, tell_split
from sftrecipe_registry.llamafactory.holdout.holdout_option import (
    Holdout,
    Wish,
    Word,
    expected_rows,
    holdout_problems,
)
from sftrecipe_registry.llamafactory.v1.version import SWITCH, speaks_v1
from sftrecipe_registry.shared.files.data_set_name import Name, data_set_name

texts = Texts(__package__)

_TALKS = frozenset({"messages", "conversations", "conversation"})
"""Columns that hold question and answer."""
_ASKED = frozenset({"instruction", "input"})


class LlamaFactory(Exporter):
    """Write a data set, and a holdout beside it, in LLaMA-Factory's formats with its entry.

    What LLaMA-Factory would drop, fail on or misread is rejected with its reason, so that as many
    examples are trained on as rows are written. Where the training environment is v1's (its version
    is 1, or `USE_V1` is set), chats are written as v1 loads them: content lists, and `loss_weight`
    0 on every answer that is not to be learned.
    """

    version: ClassVar[str] = "4"
    paper: ClassVar[str] = "LLaMA-Factory 0.9.5, data/README.md"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **dict.fromkeys(get_args(Doubt), ("keep",)),
        "masked_turn": ("masked",),
        "tool_turns": ("formatting",),
        **dict.fromkeys(("bad_label", "no_label", "other_kind"), ("preference",)),
        **dict.fromkeys(("bad_tools", "no_answer", "no_prompt", "no_text", "two_systems"), ()),
        **dict.fromkeys(("not_text", "not_utf8"), ()),
    }
    example: ClassVar[str] = "{use: llamafactory, with: {formatting: alpaca, holdout: 0.1}}"

    formatting: Formatting = "alpaca"
    """`alpaca`: instruction, input, output, with system and history; `sharegpt`: messages with role
    and content, tool calls too; `text`: the `text` column alone, to pre-train on. Rows of either
    chat shape are written in both."""
    preference: Preference | None = None
    """What the rows teach: `none`, the answer; `ranking`, the better of `chosen` and `rejected`
    (stages rm, dpo); `kto`, whether the answer is good (`label` or `kto_tag`: true or false, 1 or
    0, good or bad, 👍 or 👎, 好 or 坏 …). Left out: what most of the first 1000 rows have; rows of
    another kind are left out then, and a `label` that mostly holds other words judges nothing."""
    name: Name | None = None
    """Name of the data set; the recipe's where it is left out. The holdout is `NAME_holdout`."""
    holdout: Wish = 0
    """Share of the rows (`0.1`) or their number (`200`) to keep apart for evaluation. Chosen by a
    hash of what is asked: a row stays on its side when rows are added (of a number, unless a new
    one takes its place), and rows that ask the same are never on both sides; but those that ask
    nearly the same may be. `{share: 0.1, apart: 0.7, by: [source, topic]}` keeps these on one side,
    and takes the same share of every source and topic, chosen by the recipe's seed."""
    file: Literal["json", "parquet"] = "json"
    """`json`: a list, one row a line, in ASCII; `parquet`: for millions of rows, which
    LLaMA-Factory then reads in little memory."""
    ids: Annotated[bool, LaterMarker()] = False
    """Write each row's `id`, which `sftrecipe explain` takes; LLaMA-Factory passes over it."""
    keep: tuple[Doubt, ...] = ()
    """Doubtful rows to write all the same: `control_token` (text such as `<|im_end|>`, which the
    tokenizer takes for its own), `empty_answer`, `empty_prompt`, `equal_pair` (chosen and rejected
    are the same), `media_place` (`<image>` without a picture)."""
    reasoning: Literal["keep", "drop"] = "keep"
    """Thoughts before answers: `keep` writes them as reasoning templates train them,
    `<think>…</think>` before the answer; `drop` writes the answers alone."""
    non_thinking: Annotated[float, Ge(0), Le(1)] = 0
    """Share of the rows with a thought to write without, of each data set: for a model that is to
    answer with and without thinking. Chosen by a hash of the row, the same in each run. Train it
    with `enable_thinking: null`."""
    thought_words: tuple[Word, Word] = THOUGHT_WORDS
    """What to write around a thought. Templates with words of their own: `seed_oss`
    (`["<seed:think>", "</seed:think>"]`), `kimi_vl`, `gemma4`, `gpt_oss`; `sftrecipe train --check`
    tells what to write."""
    masked: Literal["reject", "split"] = "reject"
    """Answers that are not to be learned (`train: false`): LLaMA-Factory has `mask_history` alone,
    for a whole training, which learns the last answer. `reject` leaves out (`masked_turn`) rows
    that need something else than most of the first 1000; `split` writes a row for each answer that
    is learned, up to it. The train block gets `mask_history: true` where the rows need it."""

    def identity(self) -> dict[str, object]:
        """The options, and v1 where its form is written."""
        return super().identity() | self._version()

    def _version(self) -> dict[str, object]:
        """That v1's form is written, where it is."""
        return {SWITCH: "1"} if self.formatting != "text" and speaks_v1() else {}

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Options that contradict one another or that no row can meet."""
        yield from holdout_problems(self.holdout, inputs)
        if self.formatting == "text" and self.preference not in (None, "none"):
            message = texts("no-place-in-text", preference=self.preference)
            yield OptionProblem(("preference",), message, texts("set-formatting"))
        elif inputs is not None:
            yield from self._missing(inputs)
        if self.non_thinking and self.reasoning == "drop":
            message = texts("nothing-to-choose-from")
            yield OptionProblem(("non_thinking",), message, texts("leave-one-out"))

    def can_export(self, columns: frozenset[str]) -> bool:
        """Whether there is a question and an answer; of a text, whether there is one."""
        if self.formatting == "text":
            return "text" in columns
        answered = "output" in columns or not columns.isdisjoint(PAIR)
        plain = answered and not _ASKED.isdisjoint(columns)
        return plain or not _TALKS.isdisjoint(columns)

    def export_advice(self, columns: frozenset[str]) -> str:
        """Texts are written as such where it is said."""
        return "formatting: text" if "text" in columns else ""

    def writes(self, name: str) -> Sequence[DataSet]:
        """The data set, and the holdout where there is one."""
        name = data_set_name(self.name, name)
        names: dict[Part, str] = {"train": name, "holdout": f"{name}_holdout"}
        files = [(role, each, f"{each}.{self.file}") for role, each in names.items()]
        sets = [DataSet(each, (file,), 0, {"file_name": file}, role) for role, each, file in files]
        return sets[: 1 + self.holds_out()]

    def check_options(self) -> Mapping[str, object]:
        """Those that are set of the options that decide which rows are written."""
        names = {"formatting", "preference", "keep", "reasoning", "masked", "thought_words"}
        options = self.model_dump(mode="json", include=names, exclude_defaults=True)
        return options | self._version()

    def check_of(self, first: Sequence[Record]) -> RowCheck:
        """What LLaMA-Factory would drop, fail on or misread."""
        plan = self._first_plan(first)

        def check(record: Record) -> Unfit | None:
            try:
                self._text(record, plan) if self.formatting == "text" else self._talk(record, plan)
            except OtherKind as other:
                return Unfit(other.reason, other.value, other.teaches)
            except Unusable as error:
                return Unfit(error.reason, error.value)
            return None

        return check

    def row_kinds(self, inputs: Inputs) -> frozenset[RowKind]:
        """What the options say, else what the columns allow."""
        return possible_kinds(self.preference, inputs, text=self.formatting == "text")

    @property
    def _wish(self) -> float:
        """Share or number of the rows to hold out."""
        return self.holdout.share if isinstance(self.holdout, Holdout) else self.holdout

    def holds_out(self) -> bool:
        """Whether it writes a holdout."""
        return self._wish > 0

    def expected_holdout(self, least: int, most: int | None) -> tuple[int, int | None]:
        """The number; of a share, it and what its draw may add or leave out."""
        return expected_rows(self.holdout, least, most)

    def _missing(self, inputs: frozenset[str]) -> Iterator[OptionProblem]:
        pair: dict[str, tuple[str, ...]] = {name: (name,) for name in ("chosen", "rejected")}
        label: dict[str, tuple[str, ...]] = {"label": LABELS}
        kinds = {"ranking": pair, "kto": label}
        for column, names in kinds.get(self.preference or "", {}).items():
            if inputs.isdisjoint(names):
                message = texts(
                    "preference-needs-column", preference=self.preference, column=column
                )
                yield OptionProblem(("preference",), message)
        if self.formatting == "text" and "text" not in inputs:
            yield OptionProblem(("formatting",), texts("text-needs-column"))

    def export(self, rows: Rows, to: ExportContext) -> Sequence[DataSet]:
        """Write the rows; every row that is left out is told with `to.reject`."""
        plan = self._plan(rows, to.context)
        rejected: Counter[str] = Counter()
        unwritten: Counter[str] = Counter()
        with ExitStack() as stack:
            parts: dict[Part, WrittenPart] = {}
            for record in rows:
                try:
                    role, made = self._made(record, plan, to)
                except Unusable as error:
                    if isinstance(error, OtherKind):
                        to.context.count(f"other_{error.teaches}")
                    rejected[error.reason] += 1
                    to.reject(record, error.reason, error.value)
                    continue
                if role not in parts:
                    parts[role] = self._open(role, plan, to, stack)
                for row, learned in made:
                    parts[role].write(plan.identified(row, record), learned)
                if len(made) > 1:
                    to.write_more(record, len(made) - 1)
                unwritten.update(plan.unwritten(record.columns))
                if self.formatting != "text" and names_speakers(record.columns):
                    to.context.tell("unwritten_names", record.origin or record.id)
                count_labels([row for row, _ in made], record, plan, to)
                if role == "holdout":
                    to.hold_out(record)
            if "train" not in parts:
                raise PluginRefused(_why_none(parts, rejected))
        for name, count in sorted(unwritten.items()):
            to.context.count(f"rows whose column '{name}' is not written", count)
            to.context.tell("unwritten_columns", f"'{name}' ({count})")
        return [self._data_set(parts[role], plan) for role in get_args(Part) if role in parts]

    def _plan(self, rows: Rows, ctx: Context) -> Plan:
        """What all rows together decide."""
        plan = self._first_plan(rows)
        if isinstance(self.holdout, Holdout) and not self.holdout.is_plain:
            found = split(self.holdout, lambda: self._drawn(rows, plan), ctx.seed)
            tell_split(found, ctx)
            plan.held = found.held
        else:
            plan.limit = self._limit(rows, plan)
        if self.non_thinking and self.formatting != "text":
            plan.choose_non_thinking(self.non_thinking, self._drawn(rows, plan))
        return plan

    def _first_plan(self, rows: Iterable[Record]) -> Plan:
        """What the first rows decide."""
        first = list(islice(rows, FIRST_ROWS))
        plan = Plan(self.formatting, self._kind(first), ids=self.ids)
        plan.is_v1 = plan.preference != "kto" and bool(self._version())
        if self.formatting != "text" and plan.preference == "none" and not plan.is_v1:
            plan.masks = "last" if self.masked == "split" else most_masks(first)
        return plan

    def _kind(self, rows: Iterable[Record]) -> DataSetKind:
        first = (record.columns for record in rows)
        return data_set_kind(self.preference, first, text=self.formatting == "text")

    def _limit(self, rows: Rows, plan: Plan) -> int:
        """Rows whose draw is below it are held out."""
        if self._wish < 1:
            return int(self._wish * ALL)
        draws = nsmallest(int(self._wish), (row.draw for row in self._drawn(rows, plan)))
        return draws[-1] + 1 if draws else 0

    def _drawn(self, rows: Rows, plan: Plan) -> Iterator[AskedRow]:
        """Each row that can be written, with its draw."""
        for record in rows:
            try:
                if self.formatting == "text":
                    text = self._text(record, plan)["text"]
                    yield AskedRow(draw(text), record, text)
                else:
                    talk = self._talk(record, plan)
                    yield AskedRow(asked_draw(talk), record, talk)
            except Unusable:
                continue

    def _made(
        self, record: Record, plan: Plan, to: ExportContext
    ) -> tuple[Part, list[tuple[dict[str, Any], Masks]]]:
        """Where a record goes; its rows, each with which of its answers are learned.

        Raises Unusable.
        """
        if self.formatting == "text":
            row = self._text(record, plan)
            return plan.role(draw(row["text"])), [(row, "any")]
        talk = self._talk(record, plan)
        role = plan.role(asked_draw(talk))
        if talk.thinks:
            if plan.is_non_thinking(talk, role):
                talk = talk.without_thoughts()
            to.context.count("rows with thoughts" if talk.thinks else "rows without their thoughts")
        talks = [talk]
        if self._splits(plan):
            talks = list(up_to_each_learned(talk))
            if left := len(talk.turns) - len(talks[-1].turns):
                to.context.count("turns after the last that is learned, not written", left)
                to.context.tell("unwritten_turns", record.origin or record.id)
        words = self.thought_words
        return role, [(written_row(each, plan, words), plan.learned(each)) for each in talks]

    def _text(self, record: Record, plan: Plan) -> dict[str, Any]:
        row = text_row(plan.kind.taken(record.columns))
        check_text(row["text"], frozenset(self.keep))
        return row

    def _talk(self, record: Record, plan: Plan) -> Conversation:
        """The row as a conversation that can be written. Raises Unusable."""
        talk = conversation(plan.kind.taken(record.columns), plan.preference)
        check_form(talk, plan)
        if self.reasoning == "drop" and talk.thinks:
            talk = talk.without_thoughts()
        check(talk, frozenset(self.keep), self.thought_words)
        if not self._splits(plan):
            plan.check_masks(talk)
        elif not any(turn.learned for turn in talk.turns if turn.role in ANSWERS):
            raise Unusable("masked_turn", "no answer is to be learned")
        return talk

    def _splits(self, plan: Plan) -> bool:
        return self.masked == "split" and plan.masks is not None

    def _open(self, role: Part, plan: Plan, to: ExportContext, stack: ExitStack) -> WrittenPart:
        name = data_set_name(self.name, to.name)
        if role == "holdout":
            name += "_holdout"
        file = stack.enter_context(to.create(f"{name}.{self.file}"))
        rows = row_file(file, written_schema(plan) if self.file == "parquet" else None)
        return WrittenPart(role, name, stack.enter_context(rows))

    def _data_set(self, part: WrittenPart, plan: Plan) -> DataSet:
        file = f"{part.name}.{self.file}"
        made = written_entry(file, plan, part.used)
        needs = {"mask_history": "last" in part.learned} if part.learned - {"any"} else {}
        return DataSet(part.name, (file,), part.rows, made, part.role, needs, plan.kind.teaches)


def _why_none(parts: dict[Part, WrittenPart], rejected: Counter[str]) -> Text:
    if "holdout" in parts:
        return texts("all-held-out", rows=parts["holdout"].rows)
    if not rejected:
        return texts("no-row")
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.most_common(5))
    return texts("none-exportable", reasons=reasons)
