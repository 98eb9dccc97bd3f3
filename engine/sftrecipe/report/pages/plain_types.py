"""JSON Schema types of plugin options, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sftrecipe.plugin.option_types import (
    ColumnMarker,
    FileMarker,
    PromptMarker,
    ProviderMarker,
    RegexMarker,
    StreamMarker,
)

Schema = Mapping[str, Any]

_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "object": "mapping",
    "array": "list",
}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "{} or more characters",
    "maxLength": "{} or fewer characters",
    "minItems": "{} or more items",
    "maxItems": "{} or fewer items",
    "minProperties": "{} or more entries",
    "pattern": "matching {}",
}


def in_words(schema: Schema, definitions: Schema, markers: Sequence[object] = ()) -> str:
    """What may stand there: `text`, `list of whole numbers or null` …

    A marked text is named by what it means: the path of a file, the name of a provider.
    """
    text = _meaning(markers)
    words = _type(schema, definitions, text)
    return words.removesuffix(" or null")


def constraints(schema: Schema) -> Iterator[str]:
    """The limits of the value, wherever they stand in the schema."""
    for name, phrase in _LIMITS.items():
        if name in schema and "prefixItems" not in schema:
            yield phrase.format(schema[name])
    for choice in schema.get("anyOf", ()):
        yield from constraints(choice)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            yield from (f"each {limit}" for limit in constraints(schema[name]))


def nested(schema: Schema, definitions: Schema, path: str) -> list[tuple[Schema, str]]:
    """The option groups inside an option, each with the path to write before its options."""
    found = []
    if "$ref" in schema and "properties" in (target := _resolved(schema, definitions)):
        found.append((target, path))
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found += nested(choice, definitions, path)
    if isinstance(schema.get("items"), Mapping):
        found += nested(schema["items"], definitions, f"{path}[]")
    if isinstance(schema.get("additionalProperties"), Mapping):
        found += nested(schema["additionalProperties"], definitions, f"{path}.<name>")
    return found


def _meaning(markers: Sequence[object]) -> str:
    words = {
        FileMarker: "file path",
        PromptMarker: "prompt (Jinja2 text, or file path)",
        ProviderMarker: "provider name",
        StreamMarker: "stream or source name",
        ColumnMarker: "column name",
        RegexMarker: "regular expression",
    }
    for marker in markers:
        if isinstance(marker, FileMarker) and marker.folder:
            return "path of file or folder"
        if isinstance(marker, PromptMarker) and not marker.file:
            return "prompt (Jinja2 text)"
        if type(marker) in words:
            return words[type(marker)]
    return "text"


def _type(schema: Schema, definitions: Schema, text: str) -> str:
    if "$ref" in schema:
        return _type(_resolved(schema, definitions), definitions, text)
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(_literal(value) for value in schema["enum"])
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        words = [_type(choice, definitions, text) for choice in choices]
        return " or ".join(dict.fromkeys(words))
    return _plain(schema, definitions, text)


def _plain(schema: Schema, definitions: Schema, text: str) -> str:
    kind = schema.get("type")
    if kind == "string":
        return text
    if kind == "array":
        if "prefixItems" in schema:
            parts = [_type(item, definitions, text) for item in schema["prefixItems"]]
            return "list of exactly: " + ", ".join(parts)
        return f"list of {_several(_type(schema.get('items', {}), definitions, text))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        inner = _type(schema["additionalProperties"], definitions, text)
        return f"mapping of names to {_several(inner)}"
    if kind == "object" and "properties" in schema:
        return "mapping with the options below"
    return _WORDS.get(str(kind), "any value")


def _several(words: str) -> str:
    counted = ("number", "path", "name", "expression")
    return f"{words}s" if words.endswith(counted) else words


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    target: Schema = definitions.get(schema["$ref"].rpartition("/")[2], {})
    return target


def _literal(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"
