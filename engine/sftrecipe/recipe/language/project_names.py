"""Names that a project's recipes give, for editors: streams, providers, exports, presets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sftrecipe.recipe.language.sections import HELD_OUT, MIXED, OWN, SECTIONS, Section

Schema = dict[str, Any]


@dataclass(frozen=True)
class ProjectNames:
    """What recipes may refer to; an editor offers them and takes any other name too."""

    streams: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()


def names_of(documents: Iterable[Mapping[str, Any]], presets: Iterable[str] = ()) -> ProjectNames:
    """The names that recipes give, their profiles' too, each once, in their order."""
    layers = [layer for document in documents for layer in _layers(document)]
    streams = [
        name
        for section in SECTIONS.values()
        if section.makes == OWN
        for layer in layers
        for name in _names(layer, section)
    ]
    return ProjectNames(
        streams=_once(streams),
        providers=_once(n for layer in layers for n in _names(layer, SECTIONS["providers"])),
        exports=_once(n for layer in layers for n in _names(layer, SECTIONS["export"])),
        presets=_once(presets),
    )


def _layers(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield document
    profiles = document.get("profiles")
    for profile in profiles.values() if isinstance(profiles, dict) else ():
        if isinstance(profile, dict):
            yield profile


def _names(layer: Mapping[str, Any], section: Section) -> Iterator[str]:
    held = layer.get(section.name)
    if section.form == "named":
        yield from held if isinstance(held, dict) else ()
        return
    for block in held if isinstance(held, list) else ():
        if isinstance(block, dict) and isinstance(block.get("id"), str):
            yield block["id"]


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def put_names(language: Schema, definitions: Schema, names: ProjectNames) -> None:
    """Let the schema of a recipe offer the names where they are referred to."""
    for section in SECTIONS.values():
        properties = definitions[section.shape.__name__]["properties"]
        if "provider" in properties:
            properties["provider"] = _offering(properties["provider"], names.providers)
        if section.reads:
            known = names.streams
            if section.reads_by_default == "exports":
                known = names.exports
            elif section.reads_by_default == "held out":
                known = (*known, HELD_OUT)
            elif section.reads_by_default == "exported":
                known = (*known, MIXED)
            properties[section.reads] = _offering(properties[section.reads], known)
    language["properties"]["extends"] = _offering(language["properties"]["extends"], names.presets)
    for definition in definitions.values():
        weights = definition.get("properties", {}).get("weights", {})
        for choice in weights.get("anyOf", [weights]):
            if isinstance(each := choice.get("additionalProperties"), dict):
                choice["properties"] = dict.fromkeys(names.streams, each)


def _offering(option: Schema, names: tuple[str, ...]) -> Schema:
    """The option, whose texts may be any, and are best one of the names."""
    if not names:
        return option
    about = {key: value for key, value in option.items() if key in ("description", "default")}
    choices = option.get("anyOf") or [{k: v for k, v in option.items() if k not in about}]
    offered: list[Schema] = [{"enum": list(names)}]
    for choice in choices:
        if choice.get("type") == "array" and choice.get("items") == {"type": "string"}:
            offered.append({**choice, "items": {"anyOf": [{"enum": list(names)}, choice["items"]]}})
        else:
            offered.append(choice)
    return {**about, "anyOf": offered}
