"""Guarded expressions find what `re` finds, in every text."""

from __future__ import annotations

import os
import re
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import PluginRefused
from sftrecipe_registry.filters.rules import regex
from sftrecipe_registry.filters.rules.regex import SearchTooLong, guarded_search
from sftrecipe_registry.filters.rules.regex_prefilter import wider_pattern
from sftrecipe_registry.filters.rules.search_process import TooLong, search_apart

RUNS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "1"))
_CHARACTERS = "aAbBiIsSkKxX019_ \t\n.-İıſKéÉß中文①²٣\x1c\x85\u2028\u0300🙂"
_ATOMS = st.one_of(
    st.sampled_from([".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\b", r"\B", "^", "$", r"\Z"]),
    st.sampled_from(["[a-z]", "[^a-z]", r"[\d_]", r"[^\w]", r"[^\s\d]", "[中-龥]", "[^i]", "[iK]"]),
    st.sampled_from(_CHARACTERS).map(re.escape),
    st.sampled_from(["{e<=1}", "{,2}", "[[a--b]]", r"\p", "(?|a)", "++", "{1", "a{2}{3}", "&&"]),
)
_REPEATS = st.sampled_from(["", "", "", "*", "+", "?", "*?", "{2}", "{1,3}", "{,2}", "*+"])
_FLAGS = st.sampled_from(["", "", "(?i)", "(?m)", "(?s)", "(?im)", "(?a)", "(?x)"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.lists(inner, min_size=1, max_size=3).map("".join)
    grouped = st.tuples(st.sampled_from(["({})", "(?:{})", "(?={})", "(?!{})", "(?i:{})"]), joined)
    return st.one_of(
        joined,
        st.tuples(grouped.map(lambda each: each[0].format(each[1])), _REPEATS).map("".join),
        st.lists(joined, min_size=2, max_size=3).map("|".join),
    )


PATTERNS = st.tuples(
    _FLAGS, st.recursive(st.tuples(_ATOMS, _REPEATS).map("".join), _grown, max_leaves=6)
).map("".join)
TEXTS = st.text(_CHARACTERS, max_size=30)


@given(PATTERNS, TEXTS, st.booleans())
@settings(max_examples=300 * RUNS, deadline=None)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_what_re_finds(pattern: str, text: str, ignore_case: bool) -> None:
    try:
        compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, RecursionError):
        with pytest.raises(PluginRefused):
            guarded_search(pattern)
        return
    expected = compiled.search(text)
    found = guarded_search(pattern, ignore_case=ignore_case)(text)
    assert (found and found.span()) == (expected and expected.span())


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(?:foo){e<=1}", "fxo bar"),
        ("(?:foo){e<=1}", "foo{e<=1}"),
        (r"(?:foo){i<=1,d<=1}", "fo"),
        ("[[a-z]--[aeiou]]", "b--e]"),
        (r"\N{DIGIT ONE}", "1"),
        ("(?i)straße", "STRASSE"),
        ("(?i)[k]", "\u212a"),
        (r"^\w+$", "हिन्दी"),
        (r"\bहि", "हिन्दी"),
        (r"\s", "\x1f"),
        (r"\d", "²①٣"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_extensions_are_off(pattern: str, text: str) -> None:
    expected = re.search(pattern, text)
    found = guarded_search(pattern)(text)
    assert (found and found.span()) == (expected and expected.span())


def test_classes_are_as_wide_as_those_of_re() -> None:
    import regex  # noqa: PLC0415

    every = "".join(map(chr, range(0x110000 if RUNS > 1 else 0x3400)))
    for kind in (r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", r"[^\d]", r"[^\s]", r"[^\w]", r"[^\W]"):
        for flags in (0, re.IGNORECASE):
            wider = wider_pattern(f"(?:{kind}|\x00\x00)", flags)
            assert wider is not None
            inner = regex.compile(wider[0], regex.VERSION0 | wider[1])
            assert set(re.findall(kind, every)) <= set(inner.findall(every)), kind


LONG = {
    r"\s+$": "a" + " " * 200_000 + "b",
    r"\s+b": " " * 200_000 + "a",
    r"a.*b.*c": "ab" * 50_000,
    r"(?:\w+\s?)*$": "a" * 60 + "!",
    r"(a|aa)+$": "a" * 60 + "b",
    r"(.*)\1\1x": "ab" * 3000,
    r"(?=(\w+\s)*z)": "a " * 3000,
}


@pytest.mark.parametrize(
    ("pattern", "apart"), [*((each, False) for each in LONG), (r"(a|aa)+$", True)]
)
def test_every_search_ends(pattern: str, apart: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a thread, as a plan's dry run is, and meanwhile other threads go on."""
    monkeypatch.setattr(regex, "SECONDS", 0.2)
    raised: list[BaseException] = []

    def search() -> None:
        try:
            guarded_search(pattern)(LONG[pattern])
        except SearchTooLong as refusal:
            raised.append(refusal)

    started = time.process_time()
    if apart:
        thread = threading.Thread(target=search)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    else:
        search()
    assert time.process_time() - started < 3
    assert all("for 0.2 seconds" in str(each) for each in raised)


def test_a_long_text_is_searched_as_a_short_one() -> None:
    text = "x" * 50_000 + "\ud800needle 12" + "y" * 50_000
    for pattern in (r"needle \d+", r"(?:needle )+1", r"\bno"):
        expected = re.search(pattern, text)
        found = guarded_search(pattern)(text)
        assert (found and (found.span(), found[0])) == (expected and (expected.span(), expected[0]))


def test_a_process_that_was_ended_is_followed_by_another() -> None:
    with pytest.raises(TooLong):
        search_apart(re.compile("(a|aa)+$"), "a" * 60 + "b", 0.05)
    found = search_apart(re.compile("b+"), "aabb", 1.0)
    assert found is not None
    assert found.span() == (2, 4)
