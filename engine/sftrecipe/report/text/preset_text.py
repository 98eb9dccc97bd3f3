"""Presets for people, and as JSON: the list, and the page of one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote
from textwrap import indent
from typing import TYPE_CHECKING

from sftrecipe.messages import message, user_language
from sftrecipe.plugin.environments import install_command
from sftrecipe.recipe.presets.git_address import GitAddress
from sftrecipe.recipe.presets.preset import Preset
from sftrecipe.recipe.presets.preset_facts import PresetFacts
from sftrecipe.report.text.folding import paragraph

if TYPE_CHECKING:
    from sftrecipe.recipe.presets.new_preset import NewPreset

_INDENT = "  "
_WORDS = {
    "en": {
        "purpose": "purpose",
        "needs": "needs",
        "cost": "cost",
        "paper": "papers",
        "vars": "variables (--set NAME=VALUE)",
        "profiles": "profiles (--profile NAME)",
        "files": "files",
        "extends": "extends",
        "content": "content",
        "recipe": "recipe",
        "part": "part of a recipe",
        "wheel": "with sftrecipe",
        "package": "package",
        "folder": "project",
        "git": "git",
    },
    "zh": {
        "purpose": "用途",
        "needs": "需要",
        "cost": "费用",
        "paper": "论文",
        "vars": "变量（--set 名称=值）",
        "profiles": "profile（--profile 名称）",
        "files": "文件",
        "extends": "基于",
        "content": "内容哈希",
        "recipe": "配方",
        "part": "配方的一部分",
        "wheel": "sftrecipe 自带",
        "package": "包",
        "folder": "项目",
        "git": "git",
    },
}


def presets_text(presets: Sequence[PresetFacts]) -> str:
    """The list: name, purpose, needs, from where."""
    lines = []
    for facts in presets:
        lines.append(_head(facts))
        for key in ("purpose", "needs"):
            told = facts.header.text(key, user_language())
            named = f"{_word(key)}{_colon()}{told}" if key == "needs" else told
            lines += paragraph(named, _INDENT) if told else []
    example = next((facts.preset.name for facts in presets if facts.preset.kind != "git"), "NAME")
    more = message("presets-more", {"command": f"sftrecipe presets show {quote(example)}"})
    return "\n".join([*lines, "", more])


def presets_json(presets: Sequence[PresetFacts]) -> str:
    """The list as JSON."""
    return _json([facts.summary() for facts in presets])


def preset_text(facts: PresetFacts, command: str) -> str:
    """The page of one; `command` starts a project from it."""
    return "\n".join(_page_lines(facts, command))


def preset_json(facts: PresetFacts) -> str:
    """The page as JSON."""
    page = {
        **facts.summary(),
        "extends": facts.extends,
        "vars": facts.variables,
        "profiles": facts.profiles,
        "files": [{"name": name, "bytes": size} for name, size in facts.files],
        "content": facts.preset.content,
        "recipe": facts.preset.file.read_text(encoding="utf-8-sig"),
    }
    return _json(page)


def added_text(address: GitAddress) -> str:
    """What to write into a recipe for a preset that was fetched."""
    return f"{message('presets-pinned', {})}\nextends: {address}"


def added_json(address: GitAddress, preset: Preset, named: Path | None) -> str:
    """What was fetched, as JSON; `named`: the file that gives it a name in the project."""
    facts = {
        "extends": str(address),
        "commit": address.revision,
        "content": preset.content,
        "file": str(preset.file),
        "as": None if named is None else str(named),
    }
    return _json(facts)


def new_preset_text(written: NewPreset) -> str:
    """What `presets new` wrote, and what to do next."""
    folder = quote(str(written.folder))
    command = f"{install_command()} -e {folder} && sftrecipe presets show {written.name}"
    told = {"package": f"sftrecipe-{written.name}", "folder": str(written.folder)}
    files = [f"  {written.folder / file}" for file in written.files]
    after = message("next-command", {"command": command})
    return "\n".join([message("presets-new", told), *files, after])


def new_preset_json(written: NewPreset) -> str:
    """What `presets new` wrote, as JSON."""
    facts = {"name": written.name, "folder": str(written.folder), "recipe": str(written.recipe)}
    return _json({**facts, "files": list(written.files)})


def _page_lines(facts: PresetFacts, command: str) -> Iterator[str]:
    header, language = facts.header, user_language()
    yield _head(facts)
    for key in ("purpose", "needs", "cost"):
        if told := header.text(key, language):
            yield from paragraph(f"{_word(key)}{_colon()}{told}", _INDENT)
    for name, values in (
        ("paper", header.papers),
        ("extends", [facts.extends] if facts.extends else []),
        ("vars", [f"{name}: {_value(value)}" for name, value in facts.variables.items()]),
        ("profiles", [", ".join(facts.profiles)] if facts.profiles else []),
        ("files", [f"{name}  {size:,} B" for name, size in facts.files]),
        ("content", [f"sha256 {facts.preset.content}"]),
    ):
        if values:
            yield f"\n{_word(name)}"
            yield from (line for value in values for line in paragraph(value, _INDENT))
    yield f"\n{_word('recipe')}  {facts.preset.file}"
    yield indent(facts.preset.file.read_text(encoding="utf-8-sig").rstrip(), _INDENT)
    slug = "presets-part" if facts.is_part else "presets-first"
    named = facts.preset.source if facts.preset.kind == "git" else facts.preset.name
    yield f"\n{message(slug, {'name': named, 'command': command})}"


def _head(facts: PresetFacts) -> str:
    part = f" ({_word('part')})" if facts.is_part else ""
    return f"{facts.preset.name}{part}  [{_from(facts)}]"


def _from(facts: PresetFacts) -> str:
    preset = facts.preset
    if preset.kind == "folder":
        return f"{_word('folder')} {preset.file}"
    return f"{_word('package')} {preset.source}" if preset.kind == "package" else preset.source


def _value(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _word(key: str) -> str:
    return _WORDS[user_language()][key]


def _colon() -> str:
    return "：" if user_language() == "zh" else ": "


def _json(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=2, default=str)
