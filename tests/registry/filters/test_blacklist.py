"""The filter `blacklist`: quick looks hide nothing, and files are looked at as words are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sftrecipe.plugin import OptionFiles
from sftrecipe_registry.filters.blacklist import beyond_text as module
from sftrecipe_registry.filters.blacklist.filter import Blacklist
from sftrecipe_registry.shared.text.case_folding import fold, folded
from sftrecipe_registry.shared.text.widths import one_width

PATTERNS = [*module._LOOKED_AT, *module._MADE, *module._SEEN_ZH, *module._MADE_ZH]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
def test_whatever_a_pattern_finds_holds_a_hint(pattern: str, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(pattern, re.IGNORECASE)))
    hints = module._ENGLISH_HINTS if text.isascii() else module._HINTS
    assert any(hint in fold(text) for hint in hints)


@given(st.text(st.sampled_from("aAiIsSkK\u0130\u0131\u017f\u212a图É é.\n"), max_size=12))
def test_folded_patterns_find_what_ignoring_case_finds(text: str) -> None:
    for pattern in (r"is?a", r"\bAsk\b", r"[a-k]+\W", r"\Sé", "图I"):
        found = folded(pattern).search(fold(text))
        expected = re.search(pattern, text, re.IGNORECASE)
        assert (found and found.span()) == (expected and expected.span())


@given(st.text())
def test_text_of_one_width_stays_so(text: str) -> None:
    assert one_width(one_width(text)) == one_width(text)


def test_a_line_of_a_file_without_a_letter_is_told(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("cat\n\n# of mine\n！？\n", "utf-8")
    files = OptionFiles({"words.txt": str(tmp_path / "words.txt")})
    (problem,) = Blacklist(file="words.txt").problems(None, files)
    assert (problem.path, problem.message) == (("file",), "word '！？' holds no letter or digit")
