"""The parts of a text where numbers and names are nobody's: code, regular expressions."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*\1|\Z)", re.M | re.S)
_DATA = frozenset(
    {"", "json", "yaml", "yml", "csv", "xml", "text", "txt", "markdown", "md", "log", "plaintext"}
)
"""Fences that hold data or prose; what stands in them is looked at line by line."""
_INLINE = re.compile(r"`[^`\n]{1,200}`")
_CODE_LINE = re.compile(
    r"^[ \t]*(?:(?:def|class|import|from|return|print|const|let|var|function|public|private|static"
    r"|void|int|float|double|char|string|for|while|if|elif|else|try|except|catch|assert|SELECT"
    r"|INSERT|UPDATE|DELETE|CREATE|ALTER|WHERE|#include|using|package|func|fn|echo|sudo|curl|git"
    r"|docker|pip|npm|ssh|ping|nslookup|dig|traceroute|ifconfig)\b[^.!?,:。，]*[(){};=<>\[\]'\"$/-]"
    r"|(?:>>>|\.\.\.|\$|//|/\*|\*/|<\?|<!)[ ]?"
    r"|[\w.\[\]'\"]+[ ]?(?:\+=|-=|:=|==|=>|->)[ ]?"
    r"|[a-z_][\w.]*[ ]?=[ ]?[\w.]*[\[({'\"]"
    r"|[A-Za-z_][A-Za-z0-9_.]*\([^)\n\u4e00-\u9fff]*\)[ ]?(?:;|\{|$)"
    r"|(?=[^\n]*[=(])[^\n]*[A-Za-z0-9)\]}'\"][;{][ \t]*$)",
    re.M,
)
_REGEX = re.compile(r"\S*(?:\\d|\\w|\\b|\[0-9|\[a-z|\[A-Z|\(\?[:=!<])\S*")


def quiet_parts(text: str) -> list[tuple[int, int]]:
    """Code fences of a language of programs, inline code, code-like lines, regular expressions."""
    parts: list[tuple[int, int]] = []
    if "```" in text or "~~~" in text:
        for found in _FENCE.finditer(text):
            if found[2].lower() not in _DATA:
                parts.append(found.span())
    if "`" in text:
        parts.extend(found.span() for found in _INLINE.finditer(text))
    if "(" in text or "=" in text or "{" in text or ";" in text or "$" in text:
        parts.extend(_lines(text))
    if "\\" in text or "[" in text or "(?" in text:
        parts.extend(found.span() for found in _REGEX.finditer(text))
    return parts


def _lines(text: str) -> list[tuple[int, int]]:
    spans = []
    for found in _CODE_LINE.finditer(text):
        end = text.find("\n", found.end())
        spans.append((found.start(), len(text) if end < 0 else end))
    return spans
