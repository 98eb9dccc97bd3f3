"""The user's language: message and hint texts by slug, in English and Chinese."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module


@cache
def user_language() -> str:
    """`zh` or `en`: `SFTRECIPE_LANG` if it is set, else the locale."""
    asked = os.environ.get("SFTRECIPE_LANG") or locale.getlocale()[0] or ""
    return "zh" if asked.lower().startswith(("zh", "chinese")) else "en"


def message(slug: str, values: Mapping[str, object], language: str | None = None) -> str:
    """The message of a slug, filled."""
    texts: dict[str, str] = _catalogue(language or user_language()).MESSAGES
    return texts[slug].format_map(_Filled(values))


def hint(slug: str, values: Mapping[str, object], language: str | None = None) -> str:
    """The hint of a slug, filled."""
    texts: dict[str, str] = _catalogue(language or user_language()).HINTS
    return texts[slug].format_map(_Filled(values))


@cache
def _catalogue(language: str):  # type: ignore[no-untyped-def]
    return import_module(f"sftrecipe.messages.{'zh' if language == 'zh' else 'en'}")


class _Filled(dict[str, object]):
    """Values for a message; a value that is missing is shown by its name."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
