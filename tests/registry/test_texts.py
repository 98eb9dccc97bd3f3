"""Texts of built-in plugins: both languages say the same, all of them are used, none is in code."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import sftrecipe_registry
from sftrecipe.messages.catalogues import OWN, catalogue
from sftrecipe.plugin.discovery import KINDS, plugins
from sftrecipe.plugin.reasons import reason_of

ROOT = Path(sftrecipe_registry.__file__).parent
CATALOGUES = sorted(ROOT.rglob("messages.en.yaml"))
TOLD: dict[str, tuple[tuple[int, str], ...]] = {
    "OptionProblem": ((1, "message"), (2, "hint")),
    "PluginRefused": ((0, "message"),),
    "Finding": ((2, "message"), (3, "advice")),
    "MachineCheck": ((1, "found"), (2, "advice")),
}
"""What is told to people, and where: by place and by name."""
REJECTING = {"Reject": 1, "Verdict": 1, "reject": 1, "Unfit": 0, "Unusable": 0, "NotJudged": 0,
             "Lost": 0, "LostPart": 0, "UnreadTurn": 0}  # fmt: skip
"""What takes a reason to reject a row, and at which place."""
WORDS_OF_PROSE = {"answer", "file", "keep", "preference", "repetition", "score"}
"""Names of options that remedies use as words."""
NO_ENGINE = {"transformers_worker", "worker.py"}
"""They run in environments of their own, without the engine."""


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if NO_ENGINE.isdisjoint(path.parts))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def package(path: Path) -> str:
    return ".".join((ROOT.name, *path.parent.relative_to(ROOT).parts))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            yield node.func.id if isinstance(node.func, ast.Name) else name or "", node


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field}


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_both_languages_say_the_same(path: Path) -> None:
    english, chinese = content(path), content(path.with_name("messages.zh.yaml"))
    assert english.keys() == chinese.keys() <= {"texts", "reasons"}
    texts, theirs = english.get("texts", {}), chinese.get("texts", {})
    assert list(texts) == list(theirs)
    for slug, text in texts.items():
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug), slug
        assert fields(text) == fields(theirs[slug]), slug
        assert not text.endswith("."), slug
        assert re.search(r"[\u4e00-\u9fff]", theirs[slug]) or not is_sentence(text), slug
    reasons, theirs = english.get("reasons", {}), chinese.get("reasons", {})
    assert list(reasons) == list(theirs)
    for reason, parts in reasons.items():
        assert parts["meaning"] and parts.keys() <= {"meaning", "remedy"}, reason
        assert theirs[reason].keys() == parts.keys() | {"name"}, reason


def test_the_engines_reasons_have_both_languages() -> None:
    english, chinese = catalogue(OWN, "en"), catalogue(OWN, "zh")
    assert english.reasons == chinese.reasons
    assert english.texts.keys() == chinese.texts.keys()


def test_calls_name_what_there_is() -> None:
    for path in modules():
        known = catalogue(package(path), "en").texts
        for name, call in calls(path):
            if name == "texts" and isinstance(call.args[0], ast.Constant):
                slug, given = call.args[0].value, {each.arg for each in call.keywords}
                assert slug in known, (path, slug)
                assert None in given or given == fields(known[slug]), (path, slug)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_no_text_is_unused(path: Path) -> None:
    slugs = set(content(path).get("texts", {}))
    said = {
        node.value
        for module in path.parent.glob("*.py")
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not slugs - said


def literal(node: ast.AST | None, within: ast.AST) -> bool:
    """Whether a text stands there, itself or by a name that is given one nearby."""
    if isinstance(node, ast.IfExp):
        return literal(node.body, within) or literal(node.orelse, within)
    if isinstance(node, ast.BinOp):
        return literal(node.left, within) or literal(node.right, within)
    if isinstance(node, ast.Name):
        return any(
            literal(each.value, within)
            for each in ast.walk(within)
            if isinstance(each, ast.Assign)
            and any(isinstance(to, ast.Name) and to.id == node.id for to in each.targets)
            and not isinstance(each.value, ast.Name)
        )
    if isinstance(node, ast.JoinedStr):
        written = "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant))
        return is_sentence(written)
    return (
        isinstance(node, ast.Constant) and isinstance(node.value, str) and is_sentence(node.value)
    )


def is_sentence(text: str) -> bool:
    """Whether somebody has to know English for it: not a line of YAML, a command or a name."""
    return len(
        re.findall(r"[A-Za-z]{2,}", re.sub(r"\{\w+.*?\}", "", text))
    ) > 1 and not re.fullmatch(r"[\w.]+: \S+", text)


def told_in_code(path: Path) -> Iterator[str]:
    whole = tree(path)
    functions = [node for node in ast.walk(whole) if isinstance(node, ast.FunctionDef)]
    for name, call in calls(path):
        within = [
            each for each in functions if each.lineno <= call.lineno <= (each.end_lineno or 0)
        ]
        for place, keyword in TOLD.get(name, ()):
            given = [each.value for each in call.keywords if each.arg == keyword]
            given += call.args[place : place + 1]
            if any(literal(each, within[-1] if within else whole) for each in given):
                yield f"{path.relative_to(ROOT)}:{call.lineno}: {name}"


def test_what_is_told_stands_in_catalogues() -> None:
    assert not [line for path in modules() for line in told_in_code(path)]


def reasons_in_code() -> Iterator[tuple[str, str]]:
    for path in modules():
        for name, call in calls(path):
            place = REJECTING.get(name)
            given = call.args[place : place + 1] if place is not None else []
            given += [each.value for each in call.keywords if each.arg == "reason"]
            for each in given:
                if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value:
                    yield package(path), each.value


def test_every_reason_is_explained() -> None:
    unknown = set()
    for kind in KINDS:
        for name, plugin in plugins(kind).items():
            if plugin.entry.value.startswith(ROOT.name):
                loaded = plugin.load()
                decided = (each for each in loaded.decides if not reason_of(each, loaded).meaning)
                unknown |= {f"{name}: {reason}" for reason in decided}
    for where, reason in reasons_in_code():
        around = [where, *(where.rsplit(".", up)[0] for up in range(1, where.count(".") + 1)), OWN]
        if not any(reason in catalogue(each, "en").reasons for each in around):
            unknown.add(f"{where.removeprefix(ROOT.name)}: {reason}")
    assert not unknown


def test_a_remedy_names_options_of_its_plugin() -> None:
    """Or says whose they are."""
    loaded = {
        (kind, name): plugin.load()
        for kind in KINDS
        for name, plugin in plugins(kind).items()
        if plugin.entry.value.startswith(ROOT.name)
    }
    owners: dict[str, set[str]] = {}
    for (_, name), each in loaded.items():
        for option in {option for options in each.decides.values() for option in options}:
            owners.setdefault(option, set()).add(name)
    wrong = {
        f"{name}: {reason}: {word}"
        for (_, name), each in loaded.items()
        for reason in each.decides
        if (remedy := str(reason_of(reason, each).remedy))
        for words in [set(re.findall(r"[a-z_]+", remedy))]
        for word in words & owners.keys() - WORDS_OF_PROSE - each.model_fields.keys()
        if not words & owners[word] and f"has the option {word}" not in remedy
    }
    assert wrong == set()
