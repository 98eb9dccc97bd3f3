"""The reference page of a plugin, out of its class: its options in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from inspect import cleandoc
from textwrap import dedent
from typing import Any

from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.discovery import Found
from sftrecipe.plugin.measured import Measured, measured
from sftrecipe.plugin.option_types import (
    ColumnMarker,
    FileMarker,
    PromptMarker,
    ProviderMarker,
    RegexMarker,
    Sampling,
    StreamMarker,
    markers,
)
from sftrecipe.plugin.prompts.prompt import is_own, own_prompts
from sftrecipe.plugin.reasons import Reason, reason_of
from sftrecipe.recipe.language.sections import SECTION_OF

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


@dataclass(frozen=True)
class OptionPage:
    """What there is to know of one option."""

    name: str
    type: str
    """In plain words."""
    required: bool
    default: object
    constraints: tuple[str, ...]
    doc: str


@dataclass(frozen=True)
class PromptPage:
    """A prompt that the plugin asks models with."""

    option: str
    default: str | None
    """Its text or file where the recipe gives none."""
    texts: Mapping[str, str]
    """The text of a prompt that the plugin brings (`builtin:NAME`), by language."""
    variables: tuple[str, ...]
    """What the plugin fills in, beside the row's columns."""
    columns: bool
    """Whether the row's columns are filled in too."""


@dataclass(frozen=True)
class PluginPage:
    """What there is to know of one plugin."""

    kind: str
    name: str
    package: str
    version: str
    description: str
    scope: str | None
    """`row` or `global`, for the kinds that have one."""
    needs: tuple[str, ...]
    needs_vary: bool
    """Whether it needs other things with other options."""
    paper: str
    prompts: tuple[PromptPage, ...]
    options: tuple[OptionPage, ...]
    reasons: Mapping[str, Reason]
    """Its own reasons to reject a row, and what they mean."""
    measured: tuple[Measured, ...]
    """What it was worth on labelled rows."""
    example: str

    @property
    def summary(self) -> str:
        """The first line of the description."""
        return self.description.partition("\n")[0]

    def as_json(self) -> dict[str, object]:
        """The page as plain data, for `--json`."""
        return asdict(self)


def plugin_page(found: Found) -> PluginPage:
    """The page of a plugin. Raises PluginError when it cannot be imported."""
    plugin = found.load()
    options = tuple(_options(plugin.model_json_schema(), plugin))
    return PluginPage(
        kind=found.kind,
        name=found.name,
        package=found.package,
        version=plugin.version,
        description=cleandoc(plugin.__doc__ or ""),
        scope=getattr(plugin, "scope", None),
        needs=tuple(sorted(plugin.needs)),
        needs_vary=plugin.required is not Plugin.required,
        paper=plugin.paper,
        prompts=tuple(_prompts(plugin)),
        options=options,
        reasons={reason: reason_of(reason, plugin) for reason in plugin.decides},
        measured=measured(plugin, found.name),
        example=dedent(plugin.example).strip() or _skeleton(found, plugin, options),
    )


def _options(schema: Mapping[str, Any], plugin: type[Plugin]) -> Iterator[OptionPage]:
    """Its own first, what all have that ask a model last."""
    definitions = schema.get("$defs", {})
    fields = {info.alias or name: info for name, info in plugin.model_fields.items()}
    properties = schema.get("properties", {}).items()
    for name, option in sorted(properties, key=lambda named: named[0] in Sampling.model_fields):
        found = fields.get(name)
        marks = markers(found) if found else []
        required = name in schema.get("required", ())
        yield _option(name, option, definitions, required, marks)
        for inner, path in nested(option, definitions, name):
            for key, value in inner.get("properties", {}).items():
                needed = key in inner.get("required", ())
                yield _option(f"{path}.{key}", value, definitions, needed, [])


def _option(
    name: str,
    option: Mapping[str, Any],
    definitions: Mapping[str, Any],
    required: bool,
    marks: list[Any],
) -> OptionPage:
    return OptionPage(
        name=name,
        type=in_words(option, definitions, marks),
        required=required,
        default=None if nested(option, definitions, name) else option.get("default"),
        constraints=tuple(constraints(option)),
        doc=" ".join(option.get("description", "").split()),
    )


def _prompts(plugin: type[Plugin]) -> Iterator[PromptPage]:
    for name, info in plugin.model_fields.items():
        for mark in markers(info):
            if isinstance(mark, PromptMarker):
                variables = tuple(sorted(mark.variables))
                for option, default in _defaults(name, info.default):
                    texts = own_prompts(plugin, default) if default and is_own(default) else {}
                    yield PromptPage(option, default, texts, variables, mark.columns)


def _defaults(name: str, value: object) -> Iterator[tuple[str, str | None]]:
    """An option's default; those of every key where it is a mapping of prompts."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _defaults(f"{name}.{key}", inner)
    else:
        yield name, value if isinstance(value, str) else None


def _skeleton(found: Found, plugin: type[Plugin], options: tuple[OptionPage, ...]) -> str:
    """A block with the options that have no default, for a plugin that gives no example."""
    needed = [option for option in options if option.required and "." not in option.name]
    values = [f"{option.name}: <{option.type}>" for option in needed]
    section = SECTION_OF[found.kind]
    if section.form == "named":
        return "\n".join(
            [f"{section.name}:", f"  {found.name}:", f"    use: {found.name}"]
            + [f"    {value}" for value in values]
        )
    head = [f"use: {found.name}"]
    if plugin.needs:
        head.append("provider: <a provider of the recipe>")
    if section.beside:
        return "\n".join([f"{section.name}:"] + [f"  {line}" for line in head + values])
    body = head + (["with:"] + [f"  {value}" for value in values] if values else [])
    if section.form == "either":
        return "\n".join([f"{section.name}:"] + [f"  {line}" for line in body])
    listed = [("  - " if at == 0 else "    ") + line for at, line in enumerate(body)]
    return "\n".join([f"{section.name}:", *listed])


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
