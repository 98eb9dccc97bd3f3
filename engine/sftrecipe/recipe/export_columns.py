"""Sources of which no row can be exported, by their columns, with the `map` to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sftrecipe.errors import Problem
from sftrecipe.plugin.base import Inputs
from sftrecipe.plugin.kinds import Exporter
from sftrecipe.recipe.blocks import Draft
from sftrecipe.recipe.document import Node
from sftrecipe.recipe.graph import MIXED

_SHOWN = 12
_MEANT: Mapping[str, tuple[str, ...]] = {
    "instruction": (
        *("question", "prompt", "query", "instructions", "user", "human", "ask", "q", "problem"),
        *("user_input", "user_message", "questions"),
        *("问题", "提问", "问", "指令", "用户", "题目", "问句", "query_text", "question_text"),
    ),
    "output": (
        *("answer", "response", "completion", "reply", "assistant", "a", "target", "solution"),
        *("answers", "bot", "gpt", "model_output", "output_text", "answer_text", "responses"),
        *("回答", "答案", "答", "回复", "输出", "解答", "答复", "助手"),
    ),
    "system": ("system_prompt", "system_message", "系统", "系统提示", "系统提示词"),
    "text": (
        *("content", "document", "body", "article", "passage", "raw_content", "raw_text"),
        *("正文", "文本", "内容", "文章"),
    ),
    "messages": ("dialogue", "dialog", "chat", "turns", "对话"),
}
"""What columns of these names hold, where there is no doubt."""


def export_problems(
    root: Node,
    drafts: Sequence[Draft],
    inputs: Mapping[Draft, tuple[str, ...]],
    columns: Mapping[str, Inputs],
) -> Iterator[Problem]:
    """Every source that is exported as it is, and of which an exporter can take no row."""
    sources = {draft.id: draft for draft in drafts if draft.section.name == "sources"}
    mixed = [name for each in drafts if each.section.name == "mix" for name in inputs[each]]
    told: set[str] = set()
    for draft in drafts:
        if not isinstance(draft.plugin, Exporter):
            continue
        read = [name for name in inputs[draft] if name != MIXED]
        for name in (*read, *(mixed if MIXED in inputs[draft] else ())):
            found = columns.get(name)
            if (
                name in sources
                and name not in told
                and found
                and not draft.plugin.can_export(found)
            ):
                told.add(name)
                yield _problem(root, sources[name], draft.use, found)


def _problem(root: Node, source: Draft, exporter: str, columns: frozenset[str]) -> Problem:
    known = sorted(columns)
    more = ", …" if len(known) > _SHOWN else ""
    values: dict[str, object] = {
        "source": source.id,
        "exporter": exporter,
        "columns": ", ".join(known[:_SHOWN]) + more,
    }
    place = source.place(root, "use")
    if renames := _renames(columns):
        pairs = ", ".join(f"{new}: {_quoted(old)}" for new, old in renames.items())
        return Problem(
            "unusable-columns", place, {**values, "map": f"map: {{{pairs}}}"}, "write-map"
        )
    return Problem("unusable-columns", place, values, "map-them")


def _renames(columns: frozenset[str]) -> dict[str, str]:
    """The columns that are meant, by what they are; empty where that is not evident."""
    found: dict[str, str] = {}
    for new, names in _MEANT.items():
        meant = [old for old in columns if old.strip().lower() in names]
        if new in columns or len(meant) == 1:
            found[new] = new if new in columns else meant[0]
        elif new == "instruction" and not meant and "input" in columns:
            found[new] = "input"
    if "instruction" in found and "output" in found:
        wanted: tuple[str, ...] = ("instruction", "output", "system")
    elif "messages" in found:
        wanted = ("messages",)
    else:
        wanted = ("text",)
    return {new: found[new] for new in wanted if new in found and found[new] != new}


def _quoted(name: str) -> str:
    """A column's name as YAML takes it inside an object."""
    plain = name.replace("_", "").replace(" ", "")
    return name if plain.isalnum() and name == name.strip() else f"'{name}'"
