"""What every HTML page shares: its style, how values are written into it, and its language."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

_FOLDER = Path(__file__).parent
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Control characters, marks that turn the direction of writing, lone surrogates, tags."""


def visible(value: Any) -> Any:
    """A text with such characters named (`⟨U+202E⟩`); markup and other values as they are."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", value)


def page_environment(*folders: Path) -> Environment:
    """The templates beside this module, and of other folders: values are escaped, and visible."""
    return Environment(
        loader=FileSystemLoader([_FOLDER, *folders]),
        autoescape=True,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shared_values(language: str) -> Mapping[str, str]:
    """What every page is rendered with: its language, its style and the style's hash, for the
    Content Security Policy."""
    style = (_FOLDER / "style.css").read_text(encoding="utf-8")
    return {
        "language": "zh-CN" if language.startswith("zh") else "en",
        "style": Markup(style),  # noqa: S704 - our own file
        "style_hash": b64encode(sha256(style.encode()).digest()).decode(),
    }
