"""What stands open at the end of a text: fences, formulas, brackets, quotes, tables, code."""

from __future__ import annotations

import re

from sftrecipe_registry.shared.text.scripts import has_unspaced

FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
CODE = re.compile(r"^[ \t]*```.*?(?:^[ \t]*```[ \t]*$|\Z)|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_SMILEY = re.compile(r"(?<![\w)])[:;]['’]?[-~^o]?[()\[\]{}]+|[<>]:['’]?-?\(|\([-^o;:=_ω°╯ヽ]+\)?")
_HALF_OPEN = re.compile(r"[\[(（]\s*[-+−]?[\w∞.]+\s*[,，]\s*[-+−]?[\w∞.]+\s*[\])）]")
_CODE_LINE = re.compile(
    r"[{};]\s*$|^\s*(?:def|class|import|from|return|function|const|let|var|public|private|for"
    r"|while|if"
    r"|else|elif|SELECT|FROM|WHERE|INSERT|UPDATE|CREATE|#include|<\w+|</\w+|print|int|void|echo)\b"
    r"|\w\(.*\)\s*[:;{]?\s*$|^\s*\w[\w.\[\]]*\s*[-+*/]?=\s*\S|=>|^\s*[}\])]|^\s*(?://|/\*|#!)"
    r"|^\s*\"[\w ]+\":",
)
_CODE_END = re.compile(
    r"(?:[,=+*/<(\[{.&|\\:-]|=>|->|\b(?:and|or|not|in|AND|OR|ON|IN|SELECT|FROM|WHERE|BY|JOIN"
    r"|SET|VALUES|return"
    r"|new|const|let|var|import|def|class|function|public|private|static))$"
)
_BLOCKS = (
    (re.compile(r"^\s*(?:for|while|until)\b.*\bdo\b|;\s*do$|^\s*do$"), re.compile(r"^\s*done\b")),
    (re.compile(r"^\s*if\b.*\bthen$|;\s*then$"), re.compile(r"^\s*(?:fi|end)\b")),
)
_RULE = re.compile(r":?-{2,}:?(?:\s*\|\s*:?-{2,}:?)+")
_TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)(?:\s[^<>]*=[^<>]*)?(?<!/)>")
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "p",
        "li",
        "td",
        "th",
        "tr",
        "option",
        "source",
        "wbr",
    ]
)
_PAIRS = {
    ")": "(",
    "）": "（",
    "]": "[",
    "}": "{",
    "】": "【",
    "》": "《",
    "”": "“",
    "」": "「",
    "』": "『",
}
_QUOTED = re.compile(r"(['\"“‘「`])[(\[{（【《“「]+[)\]}）]*\s?(?:['\"”’」`])")
"""A mark that is spoken of: `'('`."""
_OPENING = frozenset(_PAIRS.values())
_EITHER = {"(": "（", "（": "("}
_LOOKED_BACK = 1_500
"""Characters at the end among which an opening mark is looked for."""


def open_fence(text: str) -> bool:
    """A code block without its end."""
    return ("```" in text or "~~~" in text) and len(FENCE.findall(text)) % 2 == 1


def stops_in_fence(text: str) -> bool:
    """Whether what an odd number of fences leaves open is the end; a sentence behind it is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines[-1] in ("```", "~~~"):
        return len(lines) < 2 or lines[-2][-1] in ":："
    return not (lines[-1][-1] in ".!?。！？" and _is_prose(lines[-1]))


def is_code(text: str, lines: list[str] | None = None) -> bool:
    """Code without a fence: most of its lines look like it; `lines`: those that say something."""
    if not any(map(text.__contains__, "=(;{<:")):
        return False
    if lines is None:
        lines = [line for line in text.splitlines() if line.strip()]
    if not lines or _is_prose(lines[-1]):
        return False
    lines = lines[-12:]
    return sum(_CODE_LINE.search(line) is not None for line in lines) * 2 >= len(lines)


def _is_prose(line: str) -> bool:
    stripped = line.strip()
    if has_unspaced(stripped):
        return stripped[-1] not in ";{}" and not stripped.startswith(
            ("#", "//", "<", '"', "print", "echo", "{", "[", "plt", "df")
        )
    return (
        stripped[-1] in ".!?;"
        and stripped.count(" ") > 3
        and not (stripped[-1] == ";" and re.search(r"[=(){}<>]", stripped))
        and not stripped.startswith(("#", "//"))
    )


def open_code(text: str) -> str:
    """What stands open in code that has no fence; empty where nothing does."""
    last = text.splitlines()[-1].strip()
    if _CODE_END.search(last) and not last.startswith(("//", "#", "*", "<")):
        return last[-20:]
    bare = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|#.*|//.*", "", text)
    for opening, closing in ("()", "[]", "{}"):
        if bare.count(opening) > bare.count(closing):
            return opening
    lines = text.splitlines()
    for begins, ends in _BLOCKS:
        if sum(bool(begins.search(line)) for line in lines) > sum(
            map(bool, map(ends.search, lines))
        ):
            return "block"
    return _open_tag(text)


def _open_tag(text: str) -> str:
    depth: dict[str, int] = {}
    if "</" not in text:
        return ""
    for closing, name in _TAG.findall(text):
        if name.lower() not in _VOID:
            depth[name] = depth.get(name, 0) + (-1 if closing else 1)
    return next((f"<{name}>" for name, count in depth.items() if count > 0), "")


def open_formula(text: str) -> str:
    r"""`$$`, `\[`, `\(` or `\begin` without its end."""
    if "`" in text:
        text = CODE.sub(" ", text).rstrip() or " "
    if "$$" in text and text.count("$$") % 2:
        return "$$"
    for opening, closing in (("\\[", "\\]"), ("\\(", "\\)"), ("\\begin{", "\\end{")):
        if opening in text and text.count(opening) > text.count(closing):
            return opening
    if "$" not in text or text[-1] in ".!?。":
        return ""
    last = text.rsplit("\n\n", 1)[-1]
    if re.search(r"\$[\w\\({]", last):
        signs = re.sub(r"\\\$|\$\$|\$\s?\.?\d[\d,.]*(?![\d,.]*\$)", "", last).count("$")
        return "$" if signs % 2 else ""
    return ""


def open_bracket(text: str) -> str:
    """The last opening bracket or quotation mark of the text's end that has no partner.

    Smileys, `1)`, `a)` and intervals such as `[0, 1)` are none.
    """
    end = text[-_LOOKED_BACK:]
    if not any(map(end.__contains__, _OPENING)):
        return ""
    end = CODE.sub(" ", end) if "`" in end else end
    for noise in (_QUOTED, _HALF_OPEN, _SMILEY):
        end = noise.sub(" ", end)
    stack: list[tuple[str, int]] = []
    for at, character in enumerate(end):
        if character in _OPENING:
            stack.append((character, at))
        elif wanted := _PAIRS.get(character):
            either = {wanted, _EITHER.get(wanted, wanted)}
            place = next((n for n in range(len(stack) - 1, -1, -1) if stack[n][0] in either), None)
            if place is not None:
                del stack[place:]
    return next((mark for mark, at in reversed(stack) if _in_last_paragraph(end, at)), "")


def _in_last_paragraph(text: str, at: int) -> bool:
    return "\n" not in text[at:].strip("\n") or text.lstrip()[:1] in ("{", "[")


def open_straight_quote(text: str) -> bool:
    """An odd number of `"` in the last line; inches are none."""
    last = text.rsplit("\n", 1)[-1]
    return '"' in last and re.sub(r"(?<=\d)\"", "", last).count('"') % 2 == 1


def open_emphasis(text: str) -> bool:
    """An odd number of `**` in the last line."""
    if "**" not in text:
        return False
    last = text.rsplit("\n", 1)[-1]
    if "**" not in last or "***" in last or re.search(r"\w\*\*\w", last):
        return False
    return last.count("**") % 2 == 1


def open_row(lines: list[str]) -> bool:
    """The last row of a table written without outer bars ends with one: a cell is missing."""
    if len(lines) < 3 or lines[-1].lstrip().startswith("|"):
        return False
    ruled = next((at for at, line in enumerate(lines) if _RULE.fullmatch(line.strip())), 0)
    header = lines[ruled - 1].rstrip() if ruled else ""
    return (
        not header.endswith("|")
        and 0 < header.count("|") <= lines[-1].count("|") + 1
        and (lines[-1].rstrip().endswith("|") or lines[-1].count("|") < header.count("|"))
        and ruled > 0
    )


def open_table(text: str) -> bool:
    """A Markdown table whose last row is not whole."""
    lines = text.splitlines()
    if len(lines) < 3 or "|" not in lines[-1]:
        return False
    rows = [line.strip() for line in lines if line.strip().startswith("|")]
    if len(rows) < 3 or not lines[-1].strip().startswith("|"):
        return False
    if all(row.endswith("|") for row in rows[:-1]) and not rows[-1].endswith("|"):
        return True
    return (
        rows[-1].count("|") < rows[0].count("|") and re.fullmatch(r"[|:\- ]+", rows[1]) is not None
    )


_FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|\\\[.*?\\\]|\\\(.*?\\\)", re.DOTALL)
_STRICT = "“《「『【"
_ALL_PAIRS = tuple((opening, closing) for closing, opening in _PAIRS.items())
_ASCII_PAIRS = tuple(pair for pair in _ALL_PAIRS if pair[0].isascii())


def left_open(text: str) -> str:
    """An opening bracket or Chinese quotation mark of the text without its partner."""
    if not _uneven(text) or not any(map(text.__contains__, _OPENING)):
        return ""
    for noise in (CODE, _QUOTED, _FORMULA, _HALF_OPEN, _SMILEY):
        text = noise.sub(" ", text)
    for opening in _STRICT if not text.isascii() else "":
        closing = next(end for end, start in _PAIRS.items() if start == opening)
        straight = text.count('"') if opening == "“" else 0
        if opening in text and text.count(opening) > text.count(closing) + straight:
            return opening if opening != "“" or has_unspaced(text) else ""
    more = sum(map(text.count, "([{（")) - sum(map(text.count, ")]}）"))
    return next(mark for mark in reversed(text) if mark in "([{（") if more > 0 else ""


def _uneven(text: str) -> bool:
    """Whether any mark stands there in another number than its partner: a quick look."""
    count = text.count
    for opening, closing in _ASCII_PAIRS if text.isascii() else _ALL_PAIRS:
        if count(opening) != count(closing):
            return True
    return False
