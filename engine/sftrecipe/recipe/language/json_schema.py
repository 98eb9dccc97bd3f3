"""JSON Schemas (draft 2020-12) of the recipe language and of every plugin, for editors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import cleandoc
from typing import Any

from sftrecipe.plugin import discovery
from sftrecipe.plugin.discovery import Found
from sftrecipe.recipe.language.keys import RecipeShape
from sftrecipe.recipe.language.project_names import ProjectNames, put_names
from sftrecipe.recipe.language.sections import SECTIONS, Section

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
RECIPE_FILE = "recipe.v1.schema.json"
VARIABLE = "variable"
_VARIABLE: Schema = {
    "type": "string",
    "pattern": r"^\$\{ *vars\.",
    "description": "A variable: `${vars.name}`.",
}
_SCALARS = {"string", "integer", "number", "boolean", "null"}
_LAID_OVER = {*(section.shape.__name__ for section in SECTIONS.values()), "SweepShape"}
_LAYER = "Layer"
"""Ending of the definitions for a recipe that lies over another one: nothing is required there."""


def schemas(*, built_in: bool = False) -> dict[str, Schema]:
    """Every schema by the name of its file; `built_in`: of sftrecipe's own plugins alone."""
    found = _found(built_in=built_in)
    files = {RECIPE_FILE: recipe_schema(found)}
    for section in SECTIONS.values():
        for plugin in found[section.name]:
            files[f"{section.kind}.{plugin.name}.schema.json"] = plugin_schema(plugin)
    return files


def installed_recipe_schema(names: ProjectNames | None = None) -> Schema:
    """The schema of a recipe that may use every installed plugin, and refer to these names."""
    return recipe_schema(_found(built_in=False), names)


def _found(*, built_in: bool) -> dict[str, list[Found]]:
    """The plugins that each section may use, by name."""
    return {
        section.name: [
            plugin
            for _, plugin in sorted(discovery.plugins(section.kind).items())
            if not built_in or plugin.package.startswith("sftrecipe ")
        ]
        for section in SECTIONS.values()
    }


def schema_text(schema: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def plugin_schema(plugin: Found) -> Schema:
    """The schema of one plugin's options."""
    options = _options(plugin)
    options.setdefault("$defs", {})[VARIABLE] = _VARIABLE
    return {"$schema": DRAFT, "title": f"{plugin.kind} {plugin.name}", **options}


def recipe_schema(
    plugins: Mapping[str, Iterable[Found]], names: ProjectNames | None = None
) -> Schema:
    """The schema of a recipe whose sections may use these plugins; `names`: those that it offers
    where one is referred to."""
    language = _cleaned(RecipeShape.model_json_schema())
    definitions: Schema = language.pop("$defs")
    for part in (language, *definitions.values()):
        for name, option in part.get("properties", {}).items():
            if _is_scalar(option):
                part["properties"][name] = _or_variable(option)
    for section in SECTIONS.values():
        name = section.shape.__name__
        definitions[name] = _with_plugins(
            definitions[name], section, list(plugins[section.name]), definitions
        )
    if names is not None:
        put_names(language, definitions, names)
    definitions["Recipe"] = language
    layers = {f"{name}{_LAYER}": _layer(definitions[name]) for name in _layered(definitions)}
    whole = layers[f"Recipe{_LAYER}"]
    profile = _profile(whole)
    profiles, one = language["properties"]["profiles"], {"$ref": "#/$defs/Profile"}
    whole["properties"]["profiles"] = {**profiles, "additionalProperties": _or_null(one)}
    profiles["additionalProperties"] = one
    definitions |= layers | {VARIABLE: _VARIABLE, "Profile": profile}
    return {
        "$schema": DRAFT,
        "title": "sftrecipe recipe, version 1",
        "description": language.get("description", ""),
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"$ref": f"#/$defs/Recipe{_LAYER}"},
        "else": {"$ref": "#/$defs/Recipe"},
        "$defs": dict(sorted(definitions.items())),
    }


def _with_plugins(
    shape: Schema, section: Section, plugins: list[Found], definitions: Schema
) -> Schema:
    """A block's schema, with the options of every plugin that its `use` may name."""
    cases = []
    for plugin in plugins:
        name = f"{section.kind}.{plugin.name}"
        options = _options(plugin)
        for inner, definition in options.pop("$defs", {}).items():
            definitions[f"{name}.{inner}"] = _renamed(definition, name)
        options = _renamed(options, name)
        required = options.pop("required", [])
        if section.beside:
            options["properties"] = {"use": {"const": plugin.name}, **options["properties"]}
            then: Schema = {"$ref": f"#/$defs/{name}", "required": required}
        else:
            target = {"$ref": f"#/$defs/{name}", "required": required}
            then = {"properties": {"with": target}, "required": ["with"] if required else []}
        definitions[name] = options
        chosen = {"properties": {"use": {"const": plugin.name}}}
        if plugin.name != section.default_use:
            chosen["required"] = ["use"]  # type: ignore[assignment]
        cases.append({"if": chosen, "then": then})
    use = {
        "description": shape["properties"]["use"].get("description", ""),
        "oneOf": [{"const": plugin.name, "description": _summary(plugin)} for plugin in plugins],
    }
    if not plugins:
        use = {"type": "string"}
    with_use: Schema = {**shape, "properties": {**shape["properties"], "use": use}}
    return {**with_use, "allOf": cases} if cases else with_use


def _options(plugin: Found) -> Schema:
    """A plugin's options, where a variable may stand for any value."""
    schema: Schema = _cleaned(plugin.load().model_json_schema())
    schema.setdefault("properties", {})
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, option in part.get("properties", {}).items():
            part["properties"][name] = _or_variable(option)
    return schema


def _is_scalar(option: Schema) -> bool:
    """Whether it is one text, number or boolean, and not the same in every recipe."""
    return "const" not in option and all(
        each.get("type") in _SCALARS for each in option.get("anyOf", [option])
    )


def _or_variable(option: Schema) -> Schema:
    """The option, or a variable in its place."""
    if option.get("type") == "string" and not {"pattern", "enum", "const"} & option.keys():
        return option
    about: Schema = {key: option[key] for key in ("description", "default") if key in option}
    rest = {key: value for key, value in option.items() if key not in about}
    choices = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
    if {"type": "string"} in choices or not rest:
        return option
    return {**about, "anyOf": [*choices, {"$ref": f"#/$defs/{VARIABLE}"}]}


def _summary(plugin: Found) -> str:
    return cleandoc(plugin.load().__doc__ or "").partition("\n")[0]


def _cleaned(schema: Any) -> Any:
    """Without pydantic's titles; names of blocks as `propertyNames`, which editors understand."""
    if isinstance(schema, list):
        return [_cleaned(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    cleaned = {
        key: _cleaned(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (key == "default" and value is None)  # editors would offer it
    }
    patterns = cleaned.pop("patternProperties", None)
    if patterns:
        pattern, value = next(iter(patterns.items()))
        cleaned |= {"propertyNames": {"pattern": pattern}, "additionalProperties": value}
    return cleaned


def _walked(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    if isinstance(schema, list):
        return [_walked(item, change) for item in schema]
    if isinstance(schema, dict):
        return change({key: _walked(value, change) for key, value in schema.items()})
    return schema


def _renamed(schema: Any, plugin: str) -> Any:
    """References to a plugin's own definitions, under the plugin's name."""

    def change(part: Schema) -> Schema:
        target = part.get("$ref")
        if isinstance(target, str) and target != f"#/$defs/{VARIABLE}":
            return {**part, "$ref": re.sub(r"^#/\$defs/", f"#/$defs/{plugin}.", target)}
        return part

    return _walked(schema, change)


def _layered(definitions: Schema) -> Iterator[str]:
    yield from (name for name in definitions if name == "Recipe" or name in _LAID_OVER)


def _layer(schema: Schema) -> Schema:
    """A definition for a recipe that lies over another: keys may be left out, or taken away."""
    layered = {key: value for key, value in schema.items() if key not in ("required", "allOf")}
    if "allOf" in schema:
        layered["allOf"] = [_lenient(case) for case in schema["allOf"]]

    def change(part: Schema) -> Schema:
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name not in _LAID_OVER:
            return part
        return {"anyOf": [{"$ref": f"#/$defs/{name}{_LAYER}"}, {"type": "null"}]}

    properties = {
        name: _or_null(_walked(value, change)) for name, value in schema["properties"].items()
    }
    return {**layered, "properties": properties}


def _lenient(case: Schema) -> Schema:
    def change(part: Schema) -> Schema:
        return {key: value for key, value in part.items() if key != "required"}

    chosen = {"required": ["use"], **case["if"]}
    return {"if": chosen, "then": _walked(case["then"], change)}


def _or_null(schema: Schema) -> Schema:
    about: Schema = {key: schema[key] for key in ("description",) if key in schema}
    rest = {key: value for key, value in schema.items() if key not in about}
    return {**about, "anyOf": [rest, {"type": "null"}]}


def _profile(layer: Schema) -> Schema:
    """What a profile may change: anything but the recipe's version, base and other profiles."""
    fixed = ("version", "extends", "profiles")
    properties = {name: item for name, item in layer["properties"].items() if name not in fixed}
    return {**layer, "properties": properties, "description": "Changes to the recipe."}
