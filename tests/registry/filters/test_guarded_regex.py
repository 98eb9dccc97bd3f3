"""Which expressions are searched under a clock."""

from __future__ import annotations

import pytest

from sftrecipe_registry.filters.rules import regex
from sftrecipe_registry.filters.rules.regex import (
    SearchTooLong,
    cannot_explode,
    guarded_search,
)


@pytest.mark.parametrize(
    "pattern",
    [
        "as an AI",
        "(?i)as an ai",
        r"https?://\S+",
        r"\b1[3-9]\d{9}\b",
        "[*+?]+",
        r"\*\*+",
        "(?:yes|no)",
        "(?P<name>cat)s?",
        "(?<!a)b",
        r"[]*]a+",
        r"[^]*]a",
    ],
)
def test_simple(pattern: str) -> None:
    assert cannot_explode(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)*$",
        "(a|a?)+$",
        "(?:a|aa){2,}b",
        "a*a*a*b",
        "a{0,999}a{0,999}b",
        r"(\w+\s?)*$",
        "(a){50}",
        "a?a?a?a?a?aaaaa",
        "((a)?)*",
        "(?x) ( a|aa ) + $",
        "(?ix:( a|aa ) +)",
        r"[)]*(a|aa)+\)",
    ],
)
def test_not_certain(pattern: str) -> None:
    assert not cannot_explode(pattern)


def test_the_clock_stops_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex, "SECONDS", 0.05)
    search = guarded_search("(a|aa)+$")
    assert search("aaa")
    with pytest.raises(SearchTooLong, match="of 41 characters"):
        search("a" * 40 + "b")
