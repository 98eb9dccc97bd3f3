"""Magpie's tags: what a judge says of every instruction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    ANY_COLUMN,
    CallFailed,
    Capability,
    Context,
    Expected,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reply,
    RowFilter,
    Sampling,
    Texts,
    Verdict,
)
from sftrecipe_registry.methods.magpie.labels import (
    DIFFICULTIES,
    QUALITIES,
    legal_label,
    read_reply,
)
from sftrecipe_registry.shared.replies.on_failure import OnFailure, call_keys
from sftrecipe_registry.shared.replies.reply import ask_once
from sftrecipe_registry.shared.text.row_text import parted, spoken

texts = Texts(__package__)

_CATEGORIES = (
    "Information seeking", "Reasoning", "Planning", "Editing", "Coding & Debugging", "Math",
    "Role playing", "Data analysis", "Creative writing", "Advice seeking", "Brainstorming",
    "Others",
)  # fmt: skip

Tag = Literal["difficulty", "quality", "category", "safety"]
_VARIABLES = frozenset({"instruction", "output"})
Prompt = Annotated[
    str,
    PromptMarker(variables=_VARIABLES, shows=(frozenset({"instruction", "output", ANY_COLUMN}),)),
]


class _LabelQuestion(NamedTuple):
    """What is asked for: the key of the label, and the texts beside it by the tags they become."""

    key: str
    labels: tuple[str, ...]
    texts: Mapping[str, str]


_QUESTIONS: Mapping[Tag, _LabelQuestion] = {
    "difficulty": _LabelQuestion(
        "difficulty", DIFFICULTIES, {"intent": "intent", "knowledge": "knowledge"}
    ),
    "quality": _LabelQuestion("input_quality", QUALITIES, {"explanation": "quality_explanation"}),
    "category": _LabelQuestion("primary_tag", _CATEGORIES, {"other_tags": "other_categories"}),
    "safety": _LabelQuestion("safety", ("safe", "unsafe"), {"explanation": "safety_explanation"}),
}


class MagpieTags(Sampling, RowFilter):
    """Ask a judge for every row's difficulty, quality, category and safety; they are its tags.

    Tags: `difficulty` with `intent` and `knowledge`, `quality` with `quality_explanation`,
    `category` with `other_categories`, `safety` with `safety_explanation`. A call that fails, or a
    reply without a legal label, gives no such tag, and is counted (`no difficulty` …); the row
    stays, with the tags that it has, and is told as untagged: `magpie_filter` chooses.
    `on_failure: drop` rejects it (`no_label`).
    """

    version: ClassVar[str] = "2"

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Magpie (arXiv 2406.08464), section 3 and appendix; prompts after `exp/str_utils.py` of "
        "github.com/magpie-align/magpie (MIT)"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"no_label": ("on_failure", "structured")}
    example: ClassVar[str] = "{id: tagged, use: magpie_tags, on: answered, provider: judge}"

    tags: tuple[Tag, ...] = ("difficulty", "quality", "category")
    """What is asked for, a call each; `safety` looks at the answer too."""
    difficulty: Prompt = "builtin:magpie_tags/difficulty"
    """Prompt for the difficulty, the text or a `.j2` file (Jinja2), as all four: they are given
    `instruction` (of chat turns what was said before the last answer), `output` (that answer) and
    the row's columns."""
    quality: Prompt = "builtin:magpie_tags/quality"
    """Prompt for the quality."""
    category: Prompt = "builtin:magpie_tags/category"
    """Prompt for the category."""
    safety: Prompt = "builtin:magpie_tags/safety"
    """Prompt for the safety."""
    structured: bool = False
    """Hold the replies to a JSON Schema, where a judge does not keep to the form by itself: a legal
    label is then certain, a sensible one is not."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.0
    """Sampling temperature."""
    max_tokens: Annotated[int, Gt(0)] | None = 1024
    """Tokens to write at most."""
    on_failure: OnFailure = "keep"
    """What becomes of a row that lacks a tag because a call failed or its reply has no legal label:
    `keep` leaves it, and tells how many there are; `drop` rejects it, at the first call that fails.
    `--retry-failed` asks again for what failed; a reply that cannot be read comes from the ledger
    again."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to ask for; the safety of answers that are not there."""
        if not self.tags:
            yield OptionProblem(("tags",), texts("no-tag"))
        if "safety" in self.tags and inputs is not None and not inputs & {"output", "messages"}:
            yield OptionProblem(("tags",), texts("no-answers"), texts("put-respond-before"))

    def expected(self, least: int, most: int | None) -> Expected:
        """A call for each tag."""
        top = None if most is None else most * len(self.tags)
        return Expected((least * len(self.tags), top), (0, most))

    async def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The row, kept, with its tags."""
        given = _prompt_variables(row)
        tags: dict[str, str] = {}
        asked: list[Reply | CallFailed] = []
        for tag in dict.fromkeys(self.tags):
            asked.append(reply := await self._ask(tag, given, ctx))
            tags |= _tags(tag, reply.text) if isinstance(reply, Reply) else {}
            if tag not in tags:
                ctx.count(f"no {tag}")
        return self._verdict(tags, asked)

    async def _ask(self, tag: Tag, given: Mapping[str, object], ctx: Context) -> Reply | CallFailed:
        """The reply, or why there is none where the row stays. Raises CallFailed where it goes."""
        schema = _schema(tag) if self.structured else None
        try:
            prompt = ctx.prompt(getattr(self, tag)).render(given)
            return await ask_once(ctx.model, prompt, self.sampling(), schema=schema)
        except CallFailed as failure:
            if self.on_failure == "drop":
                raise
            return failure

    def _verdict(self, tags: Mapping[str, str], asked: Sequence[Reply | CallFailed]) -> Verdict:
        """A row's; where it lacks a tag, with the reason: rather a call that failed."""
        calls = call_keys(*asked)
        missing = ", ".join(tag for tag in dict.fromkeys(self.tags) if tag not in tags)
        if not missing:
            return Verdict(True, tags=tags, calls=calls)
        failure = next((each for each in asked if isinstance(each, CallFailed)), None)
        keep = self.on_failure == "keep"
        if failure is None:
            verdict = Verdict(keep, "no_label", detail=missing)
        else:
            verdict = Verdict(keep, failure.reason, detail=failure.message)
        return verdict._replace(tags=tags, calls=calls, untagged=True)


def _prompt_variables(row: Record) -> dict[str, object]:
    before, answer, _ = parted(row.columns)
    return {**row.columns, "instruction": spoken(before), "output": answer or ""}


def _tags(tag: Tag, reply: str) -> dict[str, str]:
    """The tags that a reply gives; none of them where it has no legal label."""
    question = _QUESTIONS[tag]
    said = read_reply(reply, [question.key, *question.texts])
    label = legal_label(said.get(question.key), question.labels)
    if label is None:
        return {}
    texts = {name: _text(said.get(key)) for key, name in question.texts.items()}
    return {tag: label} | {name: text for name, text in texts.items() if text}


def _text(said: Any) -> str:
    if isinstance(said, list):
        said = ", ".join(each for each in said if isinstance(each, str))
    return said.strip() if isinstance(said, str) else ""


def _schema(tag: Tag) -> dict[str, Any]:
    question = _QUESTIONS[tag]
    label = {"type": "string", "enum": list(question.labels)}
    text = {"type": "string", "maxLength": 300}
    texts: dict[str, Any] = dict.fromkeys(question.texts, text)
    if tag == "category":
        texts = {"other_tags": {"type": "array", "items": label, "maxItems": 3}}
        properties = {question.key: label, **texts}
    else:
        properties = {**texts, question.key: label}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
