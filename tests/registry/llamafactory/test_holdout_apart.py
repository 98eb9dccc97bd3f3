"""A holdout without twins in training, and with its share of every stratum."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sftrecipe import Record
from sftrecipe.plugin import OptionFiles
from sftrecipe.record import new_record
from sftrecipe.testing import RowList
from sftrecipe_registry.llamafactory.exporter import LlamaFactory
from sftrecipe_registry.llamafactory.formats.export_plan import AskedRow, draw
from sftrecipe_registry.llamafactory.holdout.apart_split import Split, split
from sftrecipe_registry.llamafactory.holdout.holdout_option import Holdout
from sftrecipe_registry.llamafactory.holdout.question_groups import LineCounts, QuestionGroups
from sftrecipe_registry.llamafactory.holdout.strata import Group, held_groups, parts
from sftrecipe_registry.shared.near_duplicates.set_groups import joined_groups
from sftrecipe_registry.shared.near_duplicates.shingle_sets import SetCollector

from ...support.exports import export

WORDS = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("anora", "elito", "ibuda", "oruse", "umika")]
DISEASES = (
    "gout measles anaemia hypertension migraine epilepsy tuberculosis malaria pneumonia lupus "
    "cholera typhoid scabies glaucoma sinusitis nephritis melanoma stroke mumps rubella"
)
APART: dict[str, Any] = {"share": 0.2, "apart": 0.7, "by": ["source", "topic"]}


def questions(groups: int, seed: int = 0) -> list[Record]:
    """Groups of one to four near-duplicates, each of a topic."""
    dice = random.Random(seed)
    rows = []
    for group in range(groups):
        words = dice.sample(WORDS, 12)
        for copy in range(dice.choice([1, 1, 1, 2, 4])):
            asked = ["", "Hello! ", "Please, ", "Hi there, "][copy] + " ".join(words)
            columns = {"instruction": asked, "output": f"{group}", "topic": "xyz"[group % 3]}
            rows.append(new_record("ask" if group % 2 else "seeds", columns))
    return rows


def asked_rows(rows: list[Record]) -> list[AskedRow]:
    return [AskedRow(draw(row.text("instruction")), row, row.text("instruction")) for row in rows]


def sides(rows: list[Record], option: Mapping[str, Any], seed: int = 0) -> dict[str, bool]:
    """Whether each question is held out."""
    asked = asked_rows(rows)
    found = split(Holdout(**option), lambda: asked, seed)
    return {row.asked: row.draw in found.held for row in asked}


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(0, 99), st.sampled_from([0.1, 0.3, 5]))
def test_no_group_is_on_both_sides_and_strata_give_their_share(
    groups: int, seed: int, share: float
) -> None:
    rows = questions(groups, seed)
    held = sides(rows, {**APART, "share": share}, seed)
    of_group, strata = defaultdict(set), defaultdict(list)
    for row in rows:
        of_group[row.text("output")].add(held[row.text("instruction")])
        strata[row.stream, row.text("topic")].append(held[row.text("instruction")])
    assert all(len(both) == 1 for both in of_group.values())
    largest = max(Counter(row.text("output") for row in rows).values())
    wish = share if share < 1 else min(1.0, share / len(rows))
    for each in strata.values():
        assert abs(sum(each) - wish * len(each)) <= max(1, largest)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 60), st.integers(0, 99))
def test_the_order_of_the_rows_changes_nothing(groups: int, seed: int) -> None:
    rows = questions(groups, seed)
    shuffled = random.Random(seed).sample(rows, len(rows))
    assert sides(rows, APART, seed) == sides(shuffled, APART, seed)


def test_the_seed_decides() -> None:
    rows = questions(200)
    assert sides(rows, APART, 1) == sides(rows, APART, 1) != sides(rows, APART, 2)


def test_one_more_group_changes_few_sides() -> None:
    rows = questions(201)
    less = sides([row for row in rows if row.text("output") != "200"], APART)
    more = sides(rows, APART)
    assert sum(less[asked] != more[asked] for asked in less) <= 12


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab c", max_size=8), max_size=30), st.sampled_from([0.4, 0.7, 1.0]))
def test_groups_are_those_of_the_plainest_way(texts: list[str], at_least: float) -> None:
    collector = SetCollector(2, "character")
    for text in texts:
        collector.add(text)
    sets = collector.sets()
    each = [
        set(sets.values[a:b].tolist()) for a, b in zip(sets.first, sets.first[1:], strict=False)
    ]
    labels = list(range(len(each)))
    for one, first in enumerate(each):
        for other, second in enumerate(each[:one]):
            if first and len(first & second) >= at_least * len(first | second):
                low, high = sorted((labels[one], labels[other]))
                labels = [low if label == high else label for label in labels]
    assert joined_groups(sets, at_least, np.arange(len(each))).tolist() == labels


@given(
    st.lists(st.dictionaries(st.integers(0, 2), st.integers(1, 5), min_size=1, max_size=1)),
    st.sampled_from([0.1, 0.5, 3]),
)
def test_strata_miss_their_part_by_less_than_a_group(
    rows: list[dict[int, int]], wish: float
) -> None:
    groups = [Group(place * 7919 % 1009, each) for place, each in enumerate(rows)]
    totals = [sum(each.get(stratum, 0) for each in rows) for stratum in range(3)]
    wanted = parts(totals, wish, lambda each: each)
    share = wish if wish < 1 else min(1.0, wish / max(1, sum(totals)))
    assert all(abs(part - share * total) < 1 for part, total in zip(wanted, totals, strict=True))
    held = held_groups(groups, wanted, lambda name: name)
    for stratum in range(3):
        sizes = [each[stratum] for each in rows if stratum in each]
        found = sum(rows[place].get(stratum, 0) for place in held)
        assert abs(found - wanted[stratum]) < max(sizes, default=1)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Can you order a pizza for me?", "Could you please order a pizza for me?", True),
        ("How do I treat a migraine at home?", "How do I treat a migrane at home?", True),
        ("描述泰姬陵的建筑风格。", "请描述泰姬陵的建筑风格。", True),
        ("What are the symptoms of diabetes?", "What are the symptoms of asthma?", False),
        ("糖尿病的症状是什么？", "高血压的症状是什么？", False),
    ],
)
def test_what_is_nearly_the_same(one: str, other: str, alike: bool) -> None:
    groups = QuestionGroups()
    others = [f"What are the symptoms of {each}?" for each in DISEASES.split()]
    others += [f"{each}的症状是什么？" for each in ("痛风", "麻疹", "贫血", "湿疹", "鼻炎", "肝炎")]
    for text in (one, other, *others):
        groups.add(text)
    labels = groups.labels(0.7)
    assert bool(labels[0] == labels[1]) is alike


def test_what_all_rows_have_above_their_question_is_not_compared() -> None:
    counts = LineCounts()
    frame = "You are a doctor; answer the patient's question with care."
    asked = [f"{frame}\nquestion {number}" for number in range(30)]
    for text in (*asked, "one\ntwo"):
        counts.add(text)
    assert counts.asked(asked[3]) == "question 3"
    assert counts.asked("one\ntwo") == "one\ntwo"
    assert counts.asked(frame) == frame


def told(rows: list[Record], option: Mapping[str, Any]) -> Split:
    asked = asked_rows(rows)
    return split(Holdout(**option), lambda: asked, 0)


def test_the_report_tells_groups_strata_and_rows_without_a_value() -> None:
    rows = questions(100)
    lacking = rows[0]._replace(columns={"instruction": "no topic here", "output": "a"})
    tagged = lacking._replace(columns={"instruction": "a tag"}, tags={"topic": "z"})
    found = told([*rows, lacking, tagged], APART)
    assert found.counts["rows without 'topic'"] == 1
    assert found.counts["groups of near-duplicates"] > 20
    assert found.counts["rows that a draw by row would hold out without a twin"] > 0
    assert sum(each.rows for each in found.strata) == len(rows) + 2
    assert {each.name for each in found.strata} >= {"source ask, topic x", "source seeds, no topic"}
    assert found.parted


def test_large_groups_are_told() -> None:
    rows = [
        new_record("s", {"instruction": f"{word} how is bread baked at home in an old oven"})
        for word in ("so", "but", "and", "now", "well")
    ]
    found = told(rows, {"share": 0.4, "apart": 0.7})
    assert (found.held, found.too_large) == (frozenset(), [5])


def test_groups_across_strata_that_cannot_be_held_out_are_told() -> None:
    rows = [
        new_record(stream, {"instruction": f"{polite}{' '.join(WORDS[at : at + 9])}"})
        for at in (0, 20, 40)
        for stream, polite in (("a", ""), ("b", "Please, "))
    ]
    found = told(rows, {"share": 1, "apart": 0.7, "by": "source"})
    assert (found.held, found.too_large) == (frozenset(), [2, 2, 2])


@pytest.mark.parametrize(
    ("option", "cause"),
    [
        ("{share: 0.1, apart: 0.7, by: source}", "raise apart, or name less in by"),
        ("{share: 0.001, apart: 0.7}", "of so few, name a number of rows"),
    ],
)
def test_an_empty_holdout_is_told_with_its_cause(tmp_path: Path, option: str, cause: str) -> None:
    asked = "Name three cities in the north of the country whose harbour is older than"
    rows = [{"instruction": f"{asked} {number}", "output": "a"} for number in range(30)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "recipe.yaml").write_text(
        "version: 1\nname: x\nsources: {rows: {use: jsonl, path: rows.jsonl}}\n"
        f"export: [{{use: llamafactory, with: {{holdout: {option}}}}}]\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SFTRECIPE_LANG": "en"},
    )  # fmt: skip
    told = [line for line in done.stdout.splitlines() if "none is held out" in line]
    assert len(told) == 1 and cause in told[0], done.stdout + done.stderr


def test_a_mapping_with_a_share_alone_writes_what_the_share_writes(tmp_path: Path) -> None:
    rows = RowList(questions(100))
    for name, option in (("a", 0.1), ("b", {"share": 0.1})):
        export("llamafactory", rows, tmp_path, holdout=option, name=name)
    for kind in ("", "_holdout"):
        assert (tmp_path / f"a{kind}.json").read_bytes() == (
            tmp_path / f"b{kind}.json"
        ).read_bytes()


@pytest.mark.parametrize("formatting", ["alpaca", "sharegpt"])
def test_all_formats_hold_out_the_same(tmp_path: Path, formatting: str) -> None:
    rows = questions(60)
    held = sides(rows, APART)
    made = export("llamafactory", RowList(rows), tmp_path, formatting=formatting, holdout=APART)
    assert made.sets[1].rows == sum(held[row.text("instruction")] for row in rows)


def test_thoughts_are_chosen_within_each_side(tmp_path: Path) -> None:
    rows = RowList(
        [row._replace(columns={**row.columns, "reasoning": "hm"}) for row in questions(60)]
    )
    made = export("llamafactory", rows, tmp_path, holdout=APART, non_thinking=0.5)
    for at in (0, 1):
        outputs = [row["output"] for row in made.rows(at)]
        assert sum("<think>" not in text for text in outputs) == round(0.5 * len(outputs))


def problems(option: Any, *inputs: str) -> list[tuple[str, str]]:
    exporter = LlamaFactory(holdout=option)
    found = exporter.problems(frozenset(inputs), OptionFiles({}))
    return [(each.severity, str(each.message)) for each in found]


def test_names_are_checked_at_validate() -> None:
    columns = ("instruction", "output", "topic")
    assert problems(APART, *columns) == []
    assert problems({**APART, "by": ["topics"]}, *columns) == [
        (
            "error",
            "'topics' in by is no column of the rows; there are: "
            "source, instruction, output, topic",
        )
    ]
    assert problems({**APART, "by": "quality"}, *columns)[0][0] == "warning"


@pytest.mark.parametrize(
    "option",
    [
        {"apart": 0.7},
        {"share": 0, "apart": 0.7},
        {"share": 0.1, "apart": 1.5},
        {"share": 0.1, "apart": 0},
        {"share": 0.1, "by": [""]},
        {"share": 0.1, "near": 0.7},
    ],
)
def test_bad_values_are_refused(option: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LlamaFactory(holdout=option)


def test_keys_of_finished_steps_stay() -> None:
    assert LlamaFactory(holdout=0.1).identity()["holdout"] == 0.1
