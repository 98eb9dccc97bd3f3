"""Pydantic's errors as problems at their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sftrecipe.errors import Problem, unknown
from sftrecipe.messages import Word
from sftrecipe.recipe.checks.written_form import language_code, name_like, written_as
from sftrecipe.recipe.language import keys
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.recipe.reader.layers import RecipeDocument
from sftrecipe.recipe.reader.node import Node, Path, kind_of, nearest, place_of

_TYPES = {
    "string": "text", "int": "whole", "float": "number", "bool": "boolean", "dict": "mapping",
    "model": "mapping", "list": "list", "tuple": "list", "set": "list", "frozen_set": "list",
    "is_instance": "other", "none_required": "null", "decimal": "number", "dataclass": "mapping",
}  # fmt: skip
_RELATIONS = {
    "greater_than_equal": ("ge", "ge"),
    "greater_than": ("gt", "gt"),
    "less_than_equal": ("le", "le"),
    "less_than": ("lt", "lt"),
    "multiple_of": ("multiple", "multiple_of"),
}
_LENGTHS = {
    "string_too_short": ("ge", "min_length", "characters"),
    "string_too_long": ("le", "max_length", "characters"),
    "too_short": ("ge", "min_length", "items"),
    "too_long": ("le", "max_length", "items"),
}
_SHOWN = 60
_ADDED_TO_RECIPES = ("add-version", "add-name")
_ADDED_TO_BLOCKS = ("add-use", "add-id")


def document_problems(document: RecipeDocument) -> Iterator[Problem]:
    """What is wrong with the shape of a whole recipe, its profiles that are not used included."""
    root, profiles = document.root, document.written.get("profiles")
    whole = root
    if profiles is not None:
        places = {**root.keys, "profiles": document.written.keys["profiles"]}
        whole = Node({**root.value, "profiles": profiles}, root.place, places)
    try:
        keys.RecipeShape.model_validate_json(orjson.dumps(whole.plain()), strict=True)
    except ValidationError as error:
        yield from shape_problems(error, keys.RecipeShape, whole)


def shape_problems(
    error: ValidationError, model: type[BaseModel], root: Node, base: Path = ()
) -> Iterator[Problem]:
    """What a model refuses, at the places of a document whose part at `base` was checked."""
    groups: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        path = _path(nearest(root, base), detail)
        groups.setdefault(path, []).append(detail)
    entered = {path[:end] for path in groups for end in range(len(path))}
    found: dict[Path, Problem] = {}
    for path, details in groups.items():
        told = [each for each in details if path not in entered or not _is_of_other_kind(each)]
        if told:
            found[path] = _merged_problem(told, model, root, (*base, *path))
    meant = {(*path[:-1], problem.values.get("suggestion")) for path, problem in found.items()}
    told_missing = {
        path for path, each in found.items() if each.slug == "missing-key" and path not in meant
    }
    for path, problem in found.items():
        if problem.slug == "missing-key" and path not in told_missing:
            continue  # misspelt, and told as that
        by_use = problem.slug == "unknown-key" and (*path[:-1], "use") in told_missing
        if not by_use or "suggestion" in problem.values:  # what is known, `use` decides
            yield problem


def _path(part: Node, detail: ErrorDetails) -> Path:
    """Keys and indices of an error; without the names of a union's members."""
    path: list[str | int] = []
    node: Node | None = part
    for step in detail["loc"]:
        found = node.child(step) if node else None
        if found is not None:
            path.append(step)
            node = found
    if detail["type"] == "missing":
        path.append(detail["loc"][-1])
    return tuple(path)


def _merged_problem(
    details: Sequence[ErrorDetails], model: type[BaseModel], root: Node, path: Path
) -> Problem:
    """One problem for one place: the members of a union are told together."""
    words = [_expected_type(detail) for detail in details]
    if len(details) > 1 and all(words):
        expected = " / ".join(dict.fromkeys(str(word) for word in words))
        return _wrong_type(root, path, Word(expected))
    plain = [detail for detail, word in zip(details, words, strict=True) if not word]
    return _problem_of((plain or details)[0], model, root, path)


def _expected_type(detail: ErrorDetails) -> str | None:
    """The type that was expected; None where the type was right and the value was not."""
    kind = detail["type"]
    if kind == "int_from_float":
        return "whole"
    stem = kind.removesuffix("_type").removesuffix("_parsing")
    return _TYPES.get(stem) if stem != kind or kind in _TYPES else None


def _is_of_other_kind(detail: ErrorDetails) -> bool:
    """Whether a mapping or list was refused as such: where something is wrong inside it too, that
    is told by the member of a union that takes its like."""
    is_type = _expected_type(detail) is not None or detail["type"] in ("literal_error", "enum")
    return is_type and isinstance(detail["input"], dict | list)


def _problem_of(detail: ErrorDetails, model: type[BaseModel], root: Node, path: Path) -> Problem:
    kind = detail["type"]
    if kind == "missing":
        place = place_of(root, path[:-1], key=True)
        return Problem("missing-key", place, *_missing_key(path))
    if kind == "extra_forbidden":
        return unknown_key(root, path, known_keys(model, detail["loc"][:-1]))
    if expected := _expected_type(detail):
        return _wrong_type(root, path, Word(expected))
    return _PROBLEM_OF.get(kind, _bad_value)(detail, root, path)


def _bad_value(detail: ErrorDetails, root: Node, path: Path) -> Problem:
    message = str(detail.get("ctx", {}).get("error") or detail["msg"])
    return Problem("bad-value", place_of(root, path), {"key": _key_name(path), "error": message})


def _out_of_range(detail: ErrorDetails, root: Node, path: Path) -> Problem:
    relation, limit = _RELATIONS[detail["type"]]
    values = {
        "relation": Word(relation),
        "limit": detail["ctx"][limit],
        "value": _shown_value(detail),
    }
    return Problem("out-of-range", place_of(root, path), {"key": _key_name(path), **values})


def _wrong_length(detail: ErrorDetails, root: Node, path: Path) -> Problem:
    relation, limit, unit = _LENGTHS[detail["type"]]
    values = {
        "key": _key_name(path),
        "value": len(detail["input"]),
        "relation": Word(relation),
        "limit": detail["ctx"][limit],
        "unit": Word(unit),
    }
    return Problem("wrong-length", place_of(root, path), values)


def unknown_key(root: Node, path: Path, known: Iterable[str]) -> Problem:
    """The problem of a key that stands where it means nothing."""
    name, place = _key_name(path), place_of(root, path, key=True)
    return unknown("unknown-key", place, name, known, key=name)


def known_keys(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Keys that a model, or one nested in it, takes."""
    models = [model]
    for step in path:
        inner = [item for each in models for item in _models_of(each, step)]
        models = inner or models
    names = (info.alias or name for each in models for name, info in each.model_fields.items())
    return list(dict.fromkeys(names))


def _models_of(model: type[BaseModel], step: str | int) -> list[type[BaseModel]]:
    for name, info in model.model_fields.items():
        if step in (name, info.alias):
            return list(_models(info.annotation))
    return []


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _missing_key(path: Path) -> tuple[dict[str, object], str | None]:
    """What is said of a key that is missing, and which hint shows it written."""
    section = SECTIONS.get(str(path[0])) if len(path) > 1 else None
    hint = f"add-{path[-1]}" if len(path) == 1 or section else None
    values: dict[str, object] = {"key": _key_name(path)}
    if section:
        values["kind"] = Word(section.kind)
    in_block = section is not None and len(path) <= 3 and "with" not in path
    known = _ADDED_TO_BLOCKS if in_block else _ADDED_TO_RECIPES if len(path) == 1 else ()
    return values, hint if hint in known else None


def _wrong_type(root: Node, path: Path, expected: Word) -> Problem:
    value = nearest(root, path).value
    if path[-2:] == ("budget", "max_cost"):
        return Problem("bad-budget", place_of(root, path), {"value": value}, "budget-form")
    values: dict[str, object] = {
        "key": _key_name(path),
        "found": kind_of(value),
        "expected": expected,
        "value": str(value)[:_SHOWN],
    }
    place = place_of(root, path, key=value is None)
    more, hint = written_as(nearest(root, path).plain(), expected, path)
    if value is None:
        told, needed = _missing_key(path)
        more, hint = told, needed or hint
    return Problem("wrong-type", place, {**values, **more}, hint)


def _not_a_choice(detail: ErrorDetails, root: Node, path: Path) -> Problem:
    choices = str(detail.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
    values = {"key": _key_name(path), "value": _shown_value(detail), "choices": choices}
    place = place_of(root, path)
    if path == ("version",):
        return Problem("not-a-choice", place, values, "set-version")
    known = [choice.strip(" '") for choice in choices.split(",")]
    return unknown("not-a-choice", place, str(detail["input"]), known, hint=None, **values)


def _bad_format(detail: ErrorDetails, root: Node, path: Path) -> Problem:
    pattern = detail.get("ctx", {}).get("pattern")
    if pattern == keys.NAME:
        is_key = detail["loc"][-1:] == ("[key]",)
        place = place_of(root, path, key=is_key)
        value = _shown_value(detail)
        more, hint = name_like(value)
        return Problem("bad-name", place, {"value": value, **more}, hint)
    place = place_of(root, path)
    if pattern == keys.COST:
        return Problem("bad-budget", place, {"value": _shown_value(detail)}, "budget-form")
    if pattern == keys.LANGUAGE:
        value = _shown_value(detail)
        more, hint = language_code(value)
        return Problem("bad-language", place, {"value": value, **more}, hint)
    values = {"key": _key_name(path), "value": _shown_value(detail), "pattern": pattern}
    return Problem("bad-format", place, values)


def _shown_value(detail: ErrorDetails) -> str:
    text = str(detail["input"])
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _key_name(path: Path) -> str:
    """The last key of a path, with the indices behind it."""
    name = ""
    for step in path:
        name = f"{name}[{step}]" if isinstance(step, int) else str(step)
    return name


_PROBLEM_OF = {
    **dict.fromkeys(_RELATIONS, _out_of_range),
    **dict.fromkeys(_LENGTHS, _wrong_length),
    "literal_error": _not_a_choice,
    "enum": _not_a_choice,
    "string_pattern_mismatch": _bad_format,
}
