"""Which regular expressions explode."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.errors import Position
from sftrecipe.recipe.checks.regexes import pattern_problem

PLACE = Position("recipe.yaml", 1, 1)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        r"([a-z]+\s*)*",
        "(a*)*",
        "(a|b*)*",
        r"(\s|.)*x",
        r"^(\w+\s?)*$",
        "((a{1,50}){1,50})+",
        "(.*,)*y",
        "(x+x+)+y",
        "(?:a?b?)*c",
        "(a|aa)+$",
        r"(\d+\.?)+",
        "(中+)+",
        "(?=(a+)+)",
        "(a+){2,100}",
        "(?P<x>a+)*?b",
        "((a|b)|(a|c))*d",
    ],
)
def test_explodes(pattern: str) -> None:
    problem = pattern_problem(pattern, PLACE)
    assert problem is not None
    assert problem.slug == "regex-explodes"


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\d+\.)+",
        r"(\w+,)*",
        r"https?://\S+",
        "^作为.*AI",
        "(ab|ac)*",
        "a{2,5}",
        "(?:[A-Z][a-z]+ )+",
        r"(\.\d+)+\d",
        "(a++)+",
        ".*foo.*bar",
        r"[\s\S]*?x",
        "(抱歉|对不起)+",
        r"(?:\[\d+\])+",
        r"\b(?:sorry|cannot)\b",
        "(?P<n>x)(?P=n)",
        r"(?:\d{1,3}\.){3}\d{1,3}",
        "(?i)as an ai (?:language )?model",
        "",
    ],
)
def test_is_let_through(pattern: str) -> None:
    assert pattern_problem(pattern, PLACE) is None


@given(st.text(alphabet="ab|()*+?{}12,.[]^$\\sd-:=!<P>x中", max_size=30))
@settings(max_examples=1000, deadline=None)
def test_any_text_is_judged_in_no_time(text: str) -> None:
    start = time.process_time()
    problem = pattern_problem(text, PLACE)
    assert time.process_time() - start < 1
    if problem is None:
        re.compile(text)


def test_deeply_nested_groups() -> None:
    pattern_problem("(a?" * 200 + ")*" * 200, PLACE)
    assert pattern_problem("(" * 450 + "a" + ")" * 450, PLACE) is not None
