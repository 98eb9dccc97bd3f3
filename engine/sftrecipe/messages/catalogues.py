"""The texts of a package in a language: the engine's own, a plugin's beside its modules.

`messages.en.yaml` and `messages.zh.yaml` hold two objects: `texts`, a text a slug, with `{names}` of
the values that it shows; and `reasons`, for every reason to reject a row its `meaning`, where one
exists a `remedy`, and in other languages than English a short `name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Literal, NamedTuple

Language = Literal["en", "zh"]
OWN = "sftrecipe"
"""The engine's package: its catalogues are modules, which need no parsing."""


class Catalogue(NamedTuple):
    """A package's texts in a language."""

    texts: Mapping[str, str]
    """By slug; those of reasons by `reason_slug`."""
    reasons: tuple[str, ...]
    """Reasons to reject a row that are explained, in the file's order."""


def reason_slug(reason: str, part: str) -> str:
    """The slug of a reason's `name`, `meaning` or `remedy`."""
    return f"reasons.{reason}.{part}"


def own_catalogue(language: str) -> Any:
    """The module of the engine's texts."""
    return import_module(f"sftrecipe.messages.{'zh' if language == 'zh' else 'en'}")


@cache
def catalogue(package: str, language: str) -> Catalogue:
    """The catalogue that lies in a package; empty where none does."""
    if package == OWN:
        own = own_catalogue(language)
        return _catalogue({"texts": own.MESSAGES, "reasons": own.REASONS})
    return _catalogue(_content(package, f"messages.{language}.yaml") or {})


@cache
def descriptions(package: str, language: str) -> Mapping[str, str]:
    """Descriptions of a package's plugins and options, by their English text in one line.

    `descriptions.zh.yaml` is a list of `en` and `zh`: a text that is changed in the code is shown
    in English until its translation is, and what several plugins have alike is translated once.
    """
    content = _content(package, f"descriptions.{language}.yaml") or ()
    return {" ".join(each["en"].split()): each[language] for each in content}


def _content(package: str, file: str) -> Any:
    """What a YAML file in a package says; None where there is none."""
    from importlib import resources  # noqa: PLC0415 - nothing is told in most commands

    try:
        text = resources.files(package).joinpath(file).read_text("utf-8")
    except (OSError, ImportError, TypeError):  # not every package is a folder that has one
        return None
    import yaml  # noqa: PLC0415

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, loader)  # noqa: S506 - it is a safe one


def _catalogue(content: Mapping[str, Any]) -> Catalogue:
    reasons: Mapping[str, Mapping[str, str]] = content.get("reasons") or {}
    texts = dict(content.get("texts") or {})
    for reason, parts in reasons.items():
        named = {**parts, "name": f"{parts['name']} {reason}" if "name" in parts else reason}
        texts.update({reason_slug(reason, part): text for part, text in named.items()})
    return Catalogue(texts, tuple(reasons))
