"""Prompts that a plugin brings: Jinja2 files beside it, one a language."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sftrecipe.plugin.base import OptionFiles, Plugin
from sftrecipe.plugin.option_types import PromptMarker, values_of

PREFIX = "builtin:"
"""`builtin:NAME` in a prompt option is the plugin's own file `prompts/NAME.<language>.j2`."""
_ENGLISH = "en"


def is_own(value: str) -> bool:
    """Whether the value of a prompt option names a prompt that the plugin brings."""
    return value.startswith(PREFIX) and not set(value) & set("\n{ ")


def own_prompt(plugin: type[Plugin], value: str, language: str) -> Path | None:
    """The file of a `builtin:NAME`; English where the language has none; None where there is none.

    The plugin's own package is looked in, then those of the classes that it is made from.
    """
    name = value.removeprefix(PREFIX)
    if ".." in name or name.startswith("/"):
        return None
    for base in plugin.__mro__:
        folder = _folder(base)
        for spoken in (re.split(r"[-_]", language.lower())[0], _ENGLISH):
            file = folder / f"{name}.{spoken}.j2" if folder else None
            if file is not None and file.is_file():
                return file
    return None


def own_prompts(plugin: type[Plugin], value: str) -> dict[str, str]:
    """A prompt's text in every language that the plugin brings it in."""
    english = own_prompt(plugin, value, _ENGLISH)
    if english is None:
        return {}
    stem = english.name.removesuffix(f".{_ENGLISH}.j2")
    files = sorted(english.parent.glob(f"{stem}.*.j2"))
    return {
        file.name[len(stem) + 1 : -3]: file.read_text(encoding="utf-8")
        for file in files
        if "." not in file.name[len(stem) + 1 : -3]
    }


def own_files(plugin: Plugin, language: str = _ENGLISH) -> OptionFiles:
    """The files of the prompts that a plugin's options take from the plugin itself."""
    paths = {}
    for _, _, value in values_of(plugin, PromptMarker):
        if is_own(value):
            file = own_prompt(type(plugin), value, language)
            if file is not None:
                paths[value] = str(file)
    return OptionFiles(paths)


def _folder(plugin: type) -> Path | None:
    file = getattr(sys.modules.get(plugin.__module__), "__file__", None)
    return Path(file).parent / "prompts" if file else None
