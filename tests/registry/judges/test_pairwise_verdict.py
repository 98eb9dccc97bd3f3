"""Comparisons of two answers, scored in both orders."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe_registry.judges.pairwise import two_scores, verdict, winning_score

DATA = Path(__file__).parents[4] / "shared" / "data" / "cherry_judge"


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
def test_the_published_bars_and_winning_score() -> None:
    published = json.loads((DATA / "published_counts_gpt35.json").read_text("utf-8"))
    lines = (DATA / "judge_scores_gpt35.jsonl").read_text("utf-8").splitlines()
    judged: dict[str, list[str]] = {}
    for item in map(json.loads, lines):
        found = verdict(item["first_line"], item["first_line_reverse"])
        judged.setdefault(item["set"], []).append(found)
    counted = {name: Counter(found) for name, found in judged.items()}
    bars = {name: [each["win"], each["tie"], each["lose"]] for name, each in counted.items()}
    assert bars == published["counts"]
    every = [found for each in judged.values() for found in each]
    assert winning_score(every) == pytest.approx(published["winning_score"], abs=1e-12)


@pytest.mark.parametrize(
    ("reply", "scores"),
    [
        ("8 9", (8, 9)),
        ("8, 9\nThe first answer is short.", (8, 9)),
        ("  7.5 7\n", (7.5, 7)),
        ("8", None),
        ("8 9 10", None),
        ("Scores: 8 9", None),
        ("8/10 9/10", None),
        ("nan 3", None),
        ("", None),
    ],
)
def test_exactly_two_numbers_in_the_first_line(
    reply: str, scores: tuple[float, float] | None
) -> None:
    assert two_scores(reply) == scores


def test_both_orders_count_alike() -> None:
    assert verdict("9 8", "8 9") == "win"
    assert verdict("9 8", "9 8") == "tie"
    assert verdict("9 8", "8 8") == "win"
    assert verdict("8 9", "9 8") == "lose"
    assert verdict("9 8", "no idea") == "invalid"


@given(st.text(), st.text())
def test_any_replies_are_read_and_the_sides_are_alike(first: str, second: str) -> None:
    turned = {"win": "lose", "lose": "win", "tie": "tie", "invalid": "invalid"}
    assert verdict(second, first) == turned[verdict(first, second)]
