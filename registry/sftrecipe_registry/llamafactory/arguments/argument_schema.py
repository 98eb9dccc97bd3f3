"""A training argument as JSON Schema, so that editors offer its values and show its default."""

from __future__ import annotations

import json
from typing import Any

from sftrecipe_registry.llamafactory.arguments.argument import COMPUTED, Argument, ArgumentTable
from sftrecipe_registry.llamafactory.arguments.table import ALSO_ACCEPTED

_TYPES = {
    "bool": "boolean", "int": "integer", "float": "number", "str": "string", "dict": "object",
    "list": "array",
}  # fmt: skip
_NUMBER = r"^[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)[eE][-+]?\d+$"
"""`1e-5`, which YAML 1.1 reads as a text."""
_TAKEN_AWAY = {"type": "null"}
"""How a recipe takes an argument away that the one below it gives."""


def argument_schema(argument: Argument, table: ArgumentTable) -> dict[str, Any]:
    """The schema of one argument: its values as far as they are told, else any."""
    schema: dict[str, Any] = {"description": _description(argument, table)}
    types = {*argument.types, *ALSO_ACCEPTED.get(argument.name, ())}
    if argument.splits:
        types.add("list")
    if argument.choices:
        return {**schema, "anyOf": [{"enum": list(argument.choices)}, _TAKEN_AWAY]}
    if argument.name == "template":
        return {**schema, "anyOf": [{"enum": sorted(table.templates)}, _TAKEN_AWAY]}
    if not types <= _TYPES.keys():  # a class of the libraries, given as text or object
        return schema
    known: list[dict[str, Any]] = [{"type": _TYPES[each]} for each in sorted(types)]
    if "float" in types and "str" not in types:
        known.append({"type": "string", "pattern": _NUMBER})
    return {**schema, "anyOf": [*known, _TAKEN_AWAY]}


def _description(argument: Argument, table: ArgumentTable) -> str:
    default = "" if argument.default in (None, COMPUTED) else json.dumps(argument.default)
    told = f"; default {default}" if default else ""
    return f"{argument.type}{told}; of the {argument.group} arguments ({table.version})"
