"""Sources of which no row can be exported, by their columns, with the `map` to write."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from sftrecipe.errors import Problem, yaml_word
from sftrecipe.plugin.base import Inputs
from sftrecipe.plugin.package_source import is_shipped
from sftrecipe.plugin.plugin_kinds import Exporter, Filter
from sftrecipe.recipe.blocks import BlockDraft, of_section
from sftrecipe.recipe.language.sections import MIXED
from sftrecipe.recipe.reader.node import Node
from sftrecipe.record import PAIR

_SHOWN = 12
_MEANT: Mapping[str, tuple[str, ...]] = {
    "instruction": (
        *("question", "prompt", "query", "instructions", "user", "human", "ask", "q", "problem"),
        *("user_input", "user_message", "questions", "inputs"),
        *("问题", "提问", "问", "指令", "用户", "题目", "问句", "query_text", "question_text"),
        *("咨询", "問題", "提問", "問", "用戶", "題目"),
    ),
    "output": (
        *("answer", "response", "completion", "reply", "assistant", "a", "target", "solution"),
        *("answers", "bot", "gpt", "model_output", "output_text", "answer_text", "responses"),
        *("targets", "回答", "答案", "答", "回复", "输出", "解答", "答复", "助手"),
        *("回覆", "回復", "輸出", "答覆"),
    ),
    "input": ("context", "上下文", "背景"),
    "reasoning": (
        *("complex_cot", "complex_co_t", "cot", "co_t", "chain_of_thought"),
        *("thinking", "thought", "thoughts"),
        *("reasoning_trace", "reasoning_content", "思考", "思维链", "思考过程", "推理过程"),
    ),
    "system": ("system_prompt", "system_message", "系统", "系统提示", "系统提示词"),
    "text": (
        *("content", "document", "body", "article", "passage", "raw_content", "raw_text"),
        *("正文", "文本", "内容", "文章"),
    ),
}
"""What columns of these names hold, where there is no doubt."""
_ENDS: Mapping[str, re.Pattern[str]] = {
    "instruction": re.compile(r".*(_(question|query|instruction)|问题|提问|問題|指令)"),
    "output": re.compile(r".*(_(answer|response|reply|completion|output)|回答|答案|回复|回覆)"),
    "reasoning": re.compile(r".*_(cot|thinking|thinking_trajectory|reasoning)"),
}
"""How longer names end that hold these: `user_question`, 医生回答."""
_READ_SO = frozenset({("reasoning", "reasoning_content")})
"""What is read as if a map said so."""
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_BETWEEN = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


class SeenColumns(NamedTuple):
    """The columns of rows that were read."""

    names: frozenset[str]
    texts: frozenset[str]
    """Those that hold texts."""
    talks: frozenset[str]
    """Those that hold turns."""


def export_problems(
    root: Node,
    drafts: Sequence[BlockDraft],
    inputs: Mapping[BlockDraft, tuple[str, ...]],
    columns: Mapping[str, Inputs],
    every: Callable[[BlockDraft], SeenColumns | None],
) -> Iterator[Problem]:
    """Every source that is exported as it is, and of which no exporter can take a row.

    `every` gives the columns of more rows than were looked at.
    """
    mixed = [name for mix in of_section(drafts, "mix") for name in inputs[mix]]
    changed = _changed_streams(drafts, inputs, mixed)
    exports: dict[str, list[tuple[BlockDraft, Exporter]]] = {}
    for draft in drafts:
        if isinstance(draft.plugin, Exporter):
            read = [name for name in inputs[draft] if name != MIXED]
            for name in (*read, *(mixed if MIXED in inputs[draft] else ())):
                exports.setdefault(name, []).append((draft, draft.plugin))
    for source in of_section(drafts, "sources"):
        names, takers = columns.get(source.id), exports.get(source.id)
        if source.id in changed or not names or not takers or _any_takes(takers, names):
            continue
        more = every(source)
        if more is not None and more.names and not _any_takes(takers, more.names):
            yield _problem(root, source, *takers[0], more)


def _any_takes(takers: Sequence[tuple[BlockDraft, Exporter]], columns: frozenset[str]) -> bool:
    return any(exporter.can_export(columns) for _, exporter in takers)


def _changed_streams(
    drafts: Sequence[BlockDraft], inputs: Mapping[BlockDraft, tuple[str, ...]], mixed: Sequence[str]
) -> set[str]:
    """The streams whose columns a filter may change that is not of this package."""
    changed: set[str] = set()
    for draft in drafts:
        if isinstance(draft.plugin, Filter) and not is_shipped(type(draft.plugin)):
            changed.update(inputs[draft])
    return changed.union(mixed) if MIXED in changed else changed


def _problem(
    root: Node, source: BlockDraft, export: BlockDraft, exporter: Exporter, seen: SeenColumns
) -> Problem:
    columns = seen.names
    known = sorted(columns)
    more = ", …" if len(known) > _SHOWN else ""
    values: dict[str, object] = {
        "source": source.id,
        "exporter": export.use,
        "columns": ", ".join(known[:_SHOWN]) + more,
    }
    place, slug = source.place(root, "use"), "unusable-columns"
    renames = _renames(seen)
    renamed = (columns - frozenset(renames.values())) | renames.keys()
    pairs = ", ".join(f"{new}: {yaml_word(old)}" for new, old in renames.items())
    advice = exporter.export_advice(renamed)
    if renames and exporter.can_export(renamed):
        return Problem(slug, place, {**values, "map": f"map: {{{pairs}}}"}, "write-map")
    if renames and advice:
        both = {**values, "map": f"map: {{{pairs}}}", "advice": advice}
        return Problem(slug, place, both, "write-map-and-export")
    if advice:
        return Problem(slug, place, {**values, "advice": advice}, "write-export")
    return Problem(slug, place, values, "map-them")


def _renames(seen: SeenColumns) -> dict[str, str]:
    """The columns that are meant, by what they are; empty where that is not evident."""
    if len(seen.talks) == 1 and "messages" not in seen.names:
        return {"messages": next(iter(seen.talks))}
    meant = dict(_meant_columns(seen.texts))
    if "instruction" not in meant and "input" in seen.texts:
        meant["instruction"] = "input"
    if "instruction" in meant and "output" not in meant and meant.get("text") == "content":
        meant["output"] = "content"
    if "instruction" in meant and ("output" in meant or seen.names.issuperset(PAIR)):
        wanted: tuple[str, ...] = ("instruction", "input", "output", "reasoning", "system")
    else:
        wanted = ("text",)
    return {
        new: meant[new]
        for new in wanted
        if new in meant and new not in seen.names and (new, meant[new]) not in _READ_SO
    }


def _meant_columns(texts: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What the columns mean, each with the one column that may be it."""
    known = {name for new, names in _MEANT.items() for name in (new, *names)}
    plain = {old: _plain_name(old) for old in texts}
    for new, names in _MEANT.items():
        meant = [old for old, name in plain.items() if name == new or name in names]
        if not meant and new in _ENDS:
            others = {old: name for old, name in plain.items() if name not in known}
            meant = [old for old, name in others.items() if _ENDS[new].fullmatch(name)]
        if new in texts or len(meant) == 1:
            yield new, new if new in texts else meant[0]


def _plain_name(name: str) -> str:
    """A column's name without case and punctuation: `Question:`, `userQuestion`."""
    text = _EDGES.sub("", unicodedata.normalize("NFKC", name))
    return _BETWEEN.sub("_", text).lower()
