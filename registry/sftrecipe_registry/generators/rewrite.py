"""Say rows' texts in another way: style, length, language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

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
    SaidColumn,
    Sampling,
    Texts,
)
from sftrecipe_registry.shared.replies.reply import Lost, ask_once, lost_reply
from sftrecipe_registry.shared.text.row_text import column_text, no_text, parted, with_text
from sftrecipe_registry.shared.text.scripts import unspaced_share

texts = Texts(__package__)

Way = Literal["style", "shorter", "longer", "translate"]
_VARIABLES = frozenset({"text", "style", "language"})
_LANGUAGES = {"en": "English", "zh": "Chinese (简体中文)"}
_LEAST_CHINESE = 0.2
"""Share of Chinese characters in a Chinese text that is full of foreign terms."""
_MOST_CHINESE = 0.05


class Rewrite(Sampling, RowGenerator):
    """Rewrite columns of every row, one call a column; the other columns stay as they are.

    A row whose text did not change as asked is a reject: `unchanged`, `not_shorter`, `not_longer`,
    `not_translated` (with the share of Chinese characters), `empty_answer`, `cut_off`; so is one
    without a text there, `empty_text`, or whose answer calls a tool, `tool_call`.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "empty_text": ("fields",),
        "unchanged": (),
        "not_shorter": (),
        "not_longer": (),
        "not_translated": (),
    }
    example: ClassVar[str] = """\
- id: chinese
  use: rewrite
  from: answered
  provider: teacher
  with: {way: translate, to: zh, fields: [instruction, output]}
"""

    way: Way
    """How the text shall change."""
    fields: tuple[SaidColumn, ...] = ("instruction",)
    """Columns to rewrite; empty ones stay empty. Of chat turns `instruction` is what the user says
    last, `output` the last answer, `reasoning` the thought before it. A new answer leaves the old
    one's thought out, unless that is rewritten, too."""
    style: str = ""
    """For `style`: what the new text is like (`a worried parent writing in haste`)."""
    to: Literal["en", "zh"] | None = None
    """For `translate`: the language."""
    prompts: dict[
        Way,
        Annotated[
            str, PromptMarker(variables=_VARIABLES, shows=(frozenset({"text", ANY_COLUMN}),))
        ],
    ] = {
        "style": "builtin:rewrite/style",
        "shorter": "builtin:rewrite/shorter",
        "longer": "builtin:rewrite/longer",
        "translate": "builtin:rewrite/translate",
    }
    """The prompt of each way, the text or a `.j2` file (Jinja2): `text`, `style` and `language` are
    given beside the row's columns."""
    raw: bool = False
    """Let the model go on with the prompt as a plain text, without chat turns: for base models, and
    small ones. Give a prompt that such a model goes on with."""
    keep_original: bool = False
    """Keep each text under `original_NAME`."""

    def required(self) -> frozenset[Capability]:
        """Chat, or raw completion."""
        return frozenset({"complete"}) if self.raw else self.needs

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A way without what it needs."""
        if self.way not in self.prompts:
            yield OptionProblem(("prompts",), texts("no-prompt", way=self.way))
        if self.way == "style" and not self.style:
            yield OptionProblem(("way",), texts("style-needs-style"), "style: formal")
        if self.way == "translate" and self.to is None:
            yield OptionProblem(("way",), texts("translate-needs-to"), "to: zh")
        if not self.fields:
            yield OptionProblem(("fields",), texts("empty-list"), "fields: [instruction]")
        for place, name in enumerate(self.fields):
            yield from no_text(name, ("fields", place))

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns, and the originals where they are kept."""
        kept = {f"original_{name}" for name in self.fields} if self.keep_original else set()
        return None if inputs is None else inputs | kept

    def expected(self, least: int, most: int | None) -> Expected:
        """A call for each column that is not empty."""
        top = None if most is None else most * len(self.fields)
        return Expected((least if len(self.fields) == 1 else 0, top), (0, most))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The rewritten row, or a reject at the first column that did not change as asked."""
        columns, replies = dict(row.columns), list[Reply]()
        if any(_calls_tools(row.columns, name) for name in self.fields):
            return [Reject(row, "tool_call")]
        if "output" in self.fields and "reasoning" not in self.fields:
            columns.pop("reasoning", None)  # it is the old answer's
        for name in sorted(self.fields, key="reasoning".__eq__):  # behind its answer
            text = column_text(row, name)
            if not text.strip():
                continue
            reply = await self._ask(text, row, ctx)
            replies.append(reply)
            written = reply.text.strip()
            columns = with_text(columns, name, written)
            if self.keep_original:
                columns[f"original_{name}"] = text
            if lost := lost_reply(reply) or self._missed(text, written):
                return [ctx.reject(columns, *lost, parents=[row], replies=replies)]
        if not replies:
            return [Reject(row, "empty_text")]
        tags = {**row.tags, "rewritten": self.to or self.way}
        return [ctx.row(columns, parents=[row], replies=replies, tags=tags)]

    async def _ask(self, text: str, row: Record, ctx: Context) -> Reply:
        given = {"text": text, "style": self.style, "language": _LANGUAGES.get(self.to or "", "")}
        prompt = ctx.prompt(self.prompts[self.way]).render({**row.columns, **given})
        return await ask_once(ctx.model, prompt, self.sampling(), raw=self.raw)

    def _missed(self, before: str, after: str) -> Lost | None:
        """What the model did not do."""
        if after == before.strip():
            return Lost("unchanged")
        if self.way == "shorter" and len(after) >= len(before.strip()):
            return Lost("not_shorter", float(len(after)))
        if self.way == "longer" and len(after) <= len(before.strip()):
            return Lost("not_longer", float(len(after)))
        share = unspaced_share(after)
        if self.to == "zh" and share < _LEAST_CHINESE:
            return Lost("not_translated", share)
        if self.to == "en" and share > _MOST_CHINESE:
            return Lost("not_translated", share)
        return None


def _calls_tools(columns: Columns, name: str) -> bool:
    """Whether a column is an answer that calls tools: no text stands for it."""
    value = columns.get(name)
    if isinstance(value, dict):
        return bool(value.get("tool_calls"))
    return name == "output" and value is None and parted(columns).calls
