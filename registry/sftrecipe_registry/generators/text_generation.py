"""Ask a model once for every row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, ClassVar

from annotated_types import Gt

from sftrecipe.plugin import (
    ANY_COLUMN,
    Capability,
    Columns,
    Context,
    Expected,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    Reply,
    RowGenerator,
    Sampling,
    Texts,
)
from sftrecipe_registry.shared.replies.reply import ask_once, lost_reply
from sftrecipe_registry.shared.replies.thoughts import KeptThought

texts = Texts(__package__)

_ANSWERS = frozenset({"output", "messages", "chosen"})


class TextGeneration(Sampling, KeptThought, RowGenerator):
    """Fill a prompt from every row and put what the model writes into a column.

    Chains of them pass columns on: `prompt` says which columns a model sees, `column` where its
    reply goes, `rename` what the columns are called from there on. The thought before the reply
    goes into `reasoning`, which is the thought before a row's answer: of a reply that goes beside
    an answer, into `COLUMN_reasoning`.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "TextGeneration chains with input and output mappings: Hugging Face smol-course, unit on "
        "synthetic data sets; distilabel 1.5.3"
    )
    example: ClassVar[str] = """\
- id: asked
  use: text_generation
  from: topics
  provider: teacher
  with: {prompt: "Write one question that a patient asks about {{ topic }}.", column: instruction}
"""

    prompt: Annotated[str, PromptMarker(shows=(frozenset({ANY_COLUMN}),), beside="system")] = (
        "{{ instruction }}"
    )
    """What the user says, the text or a `.j2` file (Jinja2: the row's columns are variables)."""
    system: Annotated[str, PromptMarker()] = ""
    """System prompt, the text or a `.j2` file; none where it is empty."""
    column: str = "output"
    """Column that takes the reply."""
    raw: bool = False
    """Let the model go on with the prompt as a plain text, without chat turns. A thought is parted
    from what it writes only where the text, or the prompt's last mark, begins one."""
    rename: dict[str, str] = {}
    """New column name → column name, for the rows that are made."""
    samples: Annotated[int, Gt(0)] = 1
    """Replies to each row, one row each."""
    keep_cut_off: bool = False
    """Keep replies that ended at `max_tokens`."""

    def required(self) -> frozenset[Capability]:
        """Chat, or raw completion."""
        return frozenset({"complete"}) if self.raw else self.needs

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A system prompt without chat; renamed columns that are not there."""
        if self.raw and self.system:
            yield OptionProblem(("system",), texts("raw-has-no-system"))
        known = None if inputs is None else self._made_of(inputs)
        for new, old in self.rename.items():
            if known is not None and old not in known:
                told = texts("column-unknown", column=old, columns=", ".join(sorted(known)))
                yield OptionProblem(("rename", new), told)

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns and the reply's, renamed."""
        if inputs is None:
            return None
        made = self._made_of(inputs)
        return (made - frozenset(self.rename.values())) | frozenset(self.rename)

    def expected(self, least: int, most: int | None) -> Expected:
        """`samples` calls a row."""
        top = None if most is None else most * self.samples
        return Expected((least * self.samples, top), (0, top))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The row with a reply, one row a sample; an empty or cut reply is a reject."""
        prompt = ctx.prompt(self.prompt).render(row.columns)
        system = ctx.prompt(self.system).render(row.columns) if self.system else ""
        made: list[Record | Reject] = []
        for sample in range(self.samples):
            reply = await ask_once(
                ctx.model, prompt, self.sampling(), raw=self.raw, system=system, sample=sample
            )
            columns = self._renamed(self._with_reply(row.columns, reply))
            if lost := lost_reply(reply, keep_cut_off=self.keep_cut_off):
                made.append(ctx.reject(columns, *lost, parents=[row], replies=[reply]))
            else:
                made.append(ctx.row(columns, parents=[row], replies=[reply], tags=row.tags))
        return made

    def _thought_column(self, names: Collection[str]) -> str:
        beside = self.column != "output" and not _ANSWERS.isdisjoint(names)
        return f"{self.column}_reasoning" if beside else "reasoning"

    def _made_of(self, inputs: frozenset[str]) -> frozenset[str]:
        thought = self._thought_column(inputs)
        return inputs - {thought} | {self.column, *({thought} if self.thought_columns() else ())}

    def _with_reply(self, columns: Columns, reply: Reply) -> dict[str, Any]:
        """The columns with the reply and its thought, in place of an earlier reply's."""
        column, thought = self._thought_column(columns), self.thought(reply)
        if column == self.column:
            thought = ""
        kept = {name: value for name, value in columns.items() if name != column}
        return {**kept, self.column: reply.text.strip(), **({column: thought} if thought else {})}

    def _renamed(self, columns: dict[str, Any]) -> dict[str, Any]:
        taken = {new: columns[old] for new, old in self.rename.items() if old in columns}
        moved = set(self.rename.values()) | set(taken)
        return {name: value for name, value in columns.items() if name not in moved} | taken
