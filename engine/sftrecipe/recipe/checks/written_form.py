"""How a value is written so that it is of the kind that was expected."""

from __future__ import annotations

import re
import unicodedata

from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.recipe.reader.node import Path

Advice = tuple[dict[str, object], str | None]
"""Values of a hint, and its slug; None: nothing can be said."""

_YES = ("yes", "y", "on", "true", "1", "是", "开")
_NO = ("no", "n", "off", "false", "0", "否", "关")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[,_ ][0-9]{3})+")
_MONEY = re.compile(r"[$¥￥]? ?[0-9]+(?:\.[0-9]+)? ?[A-Za-z元]{0,3}")
_LANGUAGES = {
    "chinese": "zh", "中文": "zh", "汉语": "zh", "简体中文": "zh", "mandarin": "zh", "cn": "zh",
    "english": "en", "英文": "en", "英语": "en", "japanese": "ja", "日文": "ja", "日语": "ja",
    "german": "de", "deutsch": "de", "french": "fr", "spanish": "es", "korean": "ko",
    "russian": "ru",
}  # fmt: skip
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.\u4e00-\u9fff-]+")


def written_as(value: object, expected: str, path: Path) -> Advice:
    """The advice that shows a value written as what was expected."""
    kinds = set(expected.split(" / "))
    if path == ("budget",):
        return _as_budget(value)
    if isinstance(value, list) and path in (("providers",), ("sources",)):
        return {"first": str(path[0]).removesuffix("s")}, "name-them"
    if isinstance(value, str) and "mapping" in kinds and path[0] in SECTIONS and len(path) == 2:
        return {"suggestion": _block_of(value, str(path[0]))}, "write-line"
    if kinds & {"whole", "number"} and (number := _as_number(value, kinds)):
        return number
    if "boolean" in kinds and (word := as_boolean(value)):
        return {"suggestion": word}, "write-line"
    return {}, _form_hint(value, kinds, path)


def _block_of(text: str, section: str) -> str:
    """A block whose plugin's name, or a source's file, was written in its place."""
    if section == "sources":
        return f"{{use: file, path: {text}}}"
    named = "id: …, " if section == "generate" else ""
    return f"{{{named}use: {text}}}"


def _form_hint(value: object, kinds: set[str], path: Path) -> str | None:
    """The hint at how a value of another kind is written."""
    fitting = {
        "remove-empty": value is None,
        "quote-text": isinstance(value, int | float) and "text" in kinds,
        "list-items": isinstance(value, dict) and kinds == {"list"},
        "no-dash": "mapping" in kinds and _is_list_of_pairs(value),
        "list-of-one": isinstance(value, str | int | float)
        and kinds == {"list"}
        and "with" in path,
    }
    return next((hint for hint, fits in fitting.items() if fits), None)


def as_boolean(value: object) -> str | None:
    """`true` or `false`, where the value is a word for one."""
    word = str(value).strip().lower()
    return "true" if word in _YES else "false" if word in _NO else None


def _as_number(value: object, kinds: set[str]) -> Advice | None:
    """A number that was written as a text, or with digits behind the point."""
    if isinstance(value, float) and value.is_integer() and "number" not in kinds:
        return {"suggestion": int(value)}, "write-line"
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFKC", value).strip()
    if text == value and _NUMBER.fullmatch(text):
        return {}, "remove-quotes"
    if percent := _PERCENT.fullmatch(text):
        share = f"{float(percent[1]) / 100:.10g}" if "number" in kinds else percent[1]
        return {"suggestion": share}, "write-line"
    bare = re.sub("[,_ ]", "", text) if _GROUPED.fullmatch(text) else text
    return ({"suggestion": bare}, "write-line") if _NUMBER.fullmatch(bare) else None


def _as_budget(value: object) -> Advice:
    if isinstance(value, str) and _MONEY.fullmatch(value.strip()):
        return {"amount": value.strip()}, "budget-of"
    return {}, "budget-calls" if isinstance(value, int | float) else None


def _is_list_of_pairs(value: object) -> bool:
    pairs = value if isinstance(value, list) else []
    return bool(pairs) and all(isinstance(each, dict) and len(each) == 1 for each in pairs)


def language_code(value: str) -> Advice:
    """The code of a language that was told by its name, or by another form of its code."""
    code = _LANGUAGES.get(value.strip().lower())
    if code is None and re.fullmatch(r"[A-Za-z]{2,3}(?:[_-][A-Za-z]{2,8})?", value):
        first, _, rest = value.replace("_", "-").partition("-")
        code = first.lower() + (f"-{rest}" if rest else "")
    return ({"suggestion": f"language: {code}"}, "write-line") if code else ({}, "language-code")


def name_like(value: str) -> Advice:
    """A name as like as may be to one that is not allowed."""
    name = _NOT_IN_NAMES.sub("-", value).strip("-.")[:64]
    return ({"suggestion": name}, "write-line") if name else ({}, None)
