"""The report's reckoning: thresholds, histograms, near-duplicates, topics, scripts, the graph."""

from __future__ import annotations

import math
import random
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from sftrecipe.plugin.plugin_kinds import Verdict
from sftrecipe.record import Record, new_record
from sftrecipe.report.pages.html_page import visible
from sftrecipe.report.pages.run.drawings.flow import flow_chart
from sftrecipe.report.pages.run.drawings.flow_layout import CARD, flow_layout
from sftrecipe.report.pages.run.drawings.numbers import fitted, ticks
from sftrecipe.report.pages.run.facts import near_duplicates, scripts, topic_map
from sftrecipe.report.pages.run.facts.context_trees import context_trees
from sftrecipe.report.pages.run.facts.histogram import histogram, thresholds
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.plan_graph import Flow, PlanGraph, Stage, StreamCard
from sftrecipe.report.pages.run.facts.secret_values import Scrub
from sftrecipe.report.words import chinese, english
from sftrecipe.run.run_record import RunRecord
from sftrecipe.run.written_blocks import written_blocks
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.rows import RowWriter, rows_at, rows_named
from sftrecipe.store.sample_places import evenly
from sftrecipe.store.streams import Judged, Stream, VerdictWriter

QUICK = settings(phases=[Phase.explicit, Phase.generate], max_examples=60, deadline=None)


def rows_of(*texts: str) -> list[Record]:
    return [new_record("asked", {"instruction": text, "n": n}) for n, text in enumerate(texts)]


def opened_with(rows: list[Record], tmp_path: Path) -> OpenedRun:
    opened = OpenedRun(
        tmp_path, RunRecord(), StepStore(tmp_path), tmp_path / "none.sqlite", Scrub({})
    )
    opened.__dict__["sample"] = rows
    return opened


def written(rows: list[Record], path: Path) -> Path:
    writer = RowWriter(path)
    for row in rows:
        writer.write(row)
    writer.close()
    return path


# thresholds and histograms


@given(st.lists(st.floats(0, 1), min_size=2), st.floats(0.01, 0.99))
@QUICK
def test_a_threshold_that_parts_the_rows_is_found(values: list[float], limit: float) -> None:
    kept = [value for value in values if value <= limit]
    dropped = [value for value in values if value > limit]
    found = thresholds({"max": limit, "tokenizer": "word", "strict": True}, kept, {"far": dropped})
    assert ("far" in found) == bool(dropped)
    assert not dropped or (found["far"].option, found["far"].value) == ("max", limit)


def test_each_reason_has_its_own_threshold() -> None:
    options = {"min_chars": 5, "max_chars": 400, "max_words": None}
    found = thresholds(options, [], {"too_short": [0, 2, 4], "too_long": [401, 900]})
    assert {reason: mark.option for reason, mark in found.items()} == {
        "too_short": "min_chars",
        "too_long": "max_chars",
    }
    assert thresholds({"seed": 7}, [3, 9], {"odd": [5, 8]}) == {}


@given(
    st.lists(st.floats(-1e6, 1e6), max_size=300),
    st.lists(st.floats(-1e6, 1e6) | st.just(math.inf) | st.just(math.nan), max_size=300),
)
@QUICK
def test_a_histogram_counts_every_finite_value(kept: list[float], dropped: list[float]) -> None:
    found = histogram(kept, dropped)
    assert sum(found.kept) == len(kept)
    assert sum(found.dropped) == sum(map(math.isfinite, dropped))
    assert found.edges == sorted(found.edges)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
@QUICK
def test_ticks_are_few_and_inside(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert len(found) <= 8
    assert all(low - 1e-6 <= tick <= low + width + 1e-6 for tick in found)


# near-duplicates, topics, scripts


def test_near_duplicates_are_those_of_the_exact_join(tmp_path: Path) -> None:
    draws = random.Random(5)
    vocabulary = ["fever", "cough", "sleep", "heart", "sugar", "clinic", "allergy", "tablet", "eye"]
    texts = [" ".join(draws.choices(vocabulary, k=12)) for _ in range(60)]
    texts += [f"{text} today" for text in texts[:10]] + texts[:3]
    rows = rows_of(*texts)
    found = near_duplicates.near_duplicates(opened_with(rows, tmp_path))
    assert found is not None

    def shingles(text: str) -> set[str]:
        plain = text.replace(" ", "")
        return {plain[start : start + 5] for start in range(len(plain) - 4)}

    linked = {
        place
        for one, other in combinations(range(len(texts)), 2)
        if len(shingles(texts[one]) & shingles(texts[other]))
        >= 0.6 * len(shingles(texts[one]) | shingles(texts[other]))
        for place in (one, other)
    }
    assert found.rows == len(linked) >= 20
    assert sum(each.rows for each in found.clusters) <= found.rows
    assert all(each.likeness >= found.alike for each in found.clusters)


def test_near_duplicates_that_share_most_shingles_are_one_cluster(tmp_path: Path) -> None:
    said = "What should a person do who has slept badly and works at night? "
    rows = rows_of(*(f"{number}: {said}" for number in range(300)), "nothing of the kind")
    found = near_duplicates.near_duplicates(opened_with(rows, tmp_path))
    assert found is not None
    assert (found.sampled, found.rows) == (301, 300)
    assert [each.rows for each in found.clusters] == [300]
    plain = ["".join(f"{number}: {said}".lower().split()) for number in (111, 222)]
    first, last = ({text[n : n + 5] for n in range(len(text) - 4)} for text in plain)
    assert found.clusters[0].likeness == round(len(first & last) / len(first | last), 3)


def test_topics_part_what_is_apart_and_are_the_same_again(tmp_path: Path) -> None:
    draws = random.Random(1)
    groups = (["heart", "blood", "pressure", "stroke"], ["skin", "eczema", "cream", "rash"],
              ["高血压患者饮食", "糖尿病患者运动", "饮食运动患者"])  # fmt: skip
    texts = [" ".join(draws.choices(groups[n % 3], k=6)) for n in range(90)]
    found = topic_map.topic_map(opened_with(rows_of(*texts), tmp_path))
    assert found is not None
    assert found == topic_map.topic_map(opened_with(rows_of(*texts), tmp_path))
    assert found.by == "terms"
    for topic in range(len(found.topics)):
        members = {texts.index(point.text) % 3 for point in found.points if point.topic == topic}
        assert len(members) == 1
    assert all(0 <= point.x <= 1 and 0 <= point.y <= 1 for point in found.points)
    assert sum(topic.rows for topic in found.topics) == 90


@pytest.mark.parametrize("texts", [[], ["a"], ["..."] * 40, ["same text here"] * 40, [""] * 9])
def test_rows_without_topics_are_no_fault(texts: list[str], tmp_path: Path) -> None:
    opened = opened_with(rows_of(*texts), tmp_path)
    found = topic_map.topic_map(opened)
    assert found is None or all(np.isfinite([point.x, point.y]).all() for point in found.points)
    near_duplicates.near_duplicates(opened)
    scripts.scripts(opened)


def test_writing_systems() -> None:
    named = {"Hello": "latin", "您好": "han", "ひらカタ": "kana", "안녕": "hangul",
             "Привет": "cyrillic",
             "γεια": "greek", "مرحبا": "arabic", "שלום": "hebrew", "नमस्ते": "devanagari",
             "สวัสดี": "thai", "Ünïcödé": "latin"}  # fmt: skip
    for text, script in named.items():
        assert set(scripts._letters(text)) == {script}, text
    assert not scripts._letters("12 3.45 — 😀 !?，。")


# rows out of a store


def test_sampled_rows_are_the_streams_rows(tmp_path: Path) -> None:
    rows = rows_of(*(f"text {n}" for n in range(30_000)))
    path = written(rows, tmp_path / "rows.parquet")
    verdicts = tmp_path / "verdicts.parquet"
    writer = VerdictWriter(verdicts)
    for n in range(len(rows)):
        writer.write(Verdict(n % 3 > 0, "third", n / 10, scores={"mine": n}))
    writer.close()
    whole = Stream("asked", path)
    thinned = whole.through(Judged("thin", verdicts))
    for stream in (whole, thinned):
        everything = list(stream)
        sample = stream.sampled(500)
        assert len(sample) == 500
        assert sample == stream.sampled(500)
        places = [everything.index(row) for row in sample[::50]]
        assert places == sorted(places)
        assert places[-1] > 0.8 * len(everything)
        assert stream.sampled(10**6) == everything
    assert rows_at(path, [0, 8191, 8192, 29_999]) == [rows[n] for n in (0, 8191, 8192, 29_999)]
    assert rows_named(path, [rows[12_345].id, "nobody"]) == [rows[12_345]]


def test_an_empty_stream_gives_no_sample(tmp_path: Path) -> None:
    path = written([], tmp_path / "rows.parquet")
    assert Stream("none", path).sampled(10) == []
    writer = VerdictWriter(tmp_path / "verdicts.parquet")
    writer.close()
    judged = Judged("thin", tmp_path / "verdicts.parquet")
    assert Stream("none", path).through(judged).sampled(10) == []


@given(st.integers(0, 500), st.integers(1, 500))
@QUICK
def test_evenly_spaced_places(count: int, most: int) -> None:
    places = evenly(count, most)
    assert len(places) == min(count, most)
    assert len(set(places)) == len(places)
    assert all(0 <= place < count for place in places)


def test_trees_of_contexts(tmp_path: Path) -> None:
    nodes = [("1", "", 0), ("1.1", "1", 1), ("1.2", "1", 1), ("1.1.1", "1.1", 2), ("2", "", 0)]
    rows = [
        new_record("queries", {"instruction": f"What of {node}?", "context": "c" * (9 - depth),
                               "node": node, "parent": parent, "depth": depth, "root": "r"})
        for node, parent, depth in nodes
    ]  # fmt: skip
    store = StepStore(tmp_path)
    folder = store.path("ab12")
    folder.mkdir(parents=True)
    stream = Stream("queries", written(rows, folder / "rows.parquet"))
    run = {"steps": [{"id": "queries", "section": "generate", "key": "ab12", "reads": []}]}
    opened = OpenedRun(
        tmp_path, RunRecord.from_json(run), store, tmp_path / "none", Scrub({}), {"queries": stream}
    )
    [tree] = context_trees(opened)
    assert [top.path for top in tree.tops] == ["1", "2"]
    assert [each.path for each in tree.tops[0].below] == ["1.1", "1.2"]
    assert tree.tops[0].below[0].below[0].question == "What of 1.1.1?"
    assert (tree.nodes, tree.kept) == (5, 5)


# the graph


def wide_graph(generators: int = 9, filters: int = 2) -> PlanGraph:
    """A chain of generators with filters, a mix that reads all of them, an export: 30 steps."""
    cards = [StreamCard("seeds", "sources", "jsonl", 10, 0)]
    flows = []
    for n in range(generators):
        stages = [Stage(f"filter-{n}-{m}", "length", 9 - m) for m in range(filters)]
        cards.append(StreamCard(f"stream-{n}", "generate", "respond", 10, n + 1, stages))
        flows.append(Flow(cards[-2].id, len(cards[-2].stages), cards[-1].id))
    flows += [Flow(card.id, filters, "mix") for card in cards[1:]]
    cards.append(StreamCard("mix", "mix", "weights", 50, generators + 1))
    return PlanGraph(cards, flows)


def test_cards_do_not_cover_one_another_nor_edges_cards() -> None:
    layout = flow_layout(wide_graph())
    for one, other in combinations(layout.spots, 2):
        apart = one.x + CARD <= other.x or other.x + CARD <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y
    for _, way in layout.ways:
        assert [spot.x for spot in way] == sorted({spot.x for spot in way})
        assert all(spot.card is None for spot in way[1:-1])
    width, height = layout.size
    assert height < 700 < width


def test_the_graph_names_every_step() -> None:
    drawn = flow_chart(wide_graph(), "graph")
    assert isinstance(drawn, Markup)
    for n in range(9):
        assert f"stream-{n}" in drawn
        assert f"filter-{n}-1" in drawn
    assert flow_chart(PlanGraph([], []), "none") == ""


# blocks, secrets, texts, words


def test_unnamed_blocks_have_the_names_that_the_recipes_reader_gives() -> None:
    document = {"filter": [{"use": "length"}, {"id": "own", "use": "length"}, {"use": "length"}],
                "mix": {"weights": {"a": 1}}, "sources": {"s": {"use": "jsonl"}}}  # fmt: skip
    assert [name for name, _ in written_blocks(document, "filter")] == [
        "filter-length", "own", "filter-length-2",
    ]  # fmt: skip
    assert [name for name, _ in written_blocks(document, "mix")] == ["mix"]
    assert [name for name, _ in written_blocks(document, "sources")] == ["s"]
    assert list(written_blocks({}, "export")) == []


def test_secrets_of_the_environment_and_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_URL", "https://private.example/v1")
    monkeypatch.setenv("OTHER_TOKEN", "token-of-another")
    monkeypatch.setenv("MAX_TOKENS", "4096000")
    monkeypatch.setenv("EDITOR", "emacs-emacs")
    document = {"providers": {"a": {"base_url": "${env:MY_URL}", "api_key": "in-the-clear",
                                    "headers": {"Authorization": "Bearer abcdef"}}}}  # fmt: skip
    scrub = Scrub(document)
    text = (
        "https://private.example/v1 token-of-another in-the-clear Bearer abcdef 4096000 emacs-emacs"
    )
    assert scrub(text) == "••• ••• ••• ••• 4096000 emacs-emacs"
    row = new_record("s", {"instruction": ["in-the-clear"]})
    assert scrub(row).columns == {"instruction": ["•••"]}
    assert isinstance(scrub(row), Record)
    assert scrub(document)["providers"]["a"]["base_url"] == "${env:MY_URL}"


def test_unseen_characters_are_named() -> None:
    assert visible("a\u202eb\x00") == "a⟨U+202E⟩b⟨U+0000⟩"
    assert visible("tab\tline\n 您好 👩‍👧 é") == "tab\tline\n 您好 👩‍👧 é"
    assert visible(Markup("<b>\u202e</b>")) == Markup("<b>\u202e</b>")
    assert visible(3) == 3


@given(st.text(max_size=80), st.floats(10, 300))
@QUICK
def test_a_fitted_text_is_a_beginning(text: str, width: float) -> None:
    found = fitted(text, width, 7)
    assert found == text or text.startswith(found.removesuffix("…"))
    assert len(found) <= max(2, width / 7 + 1)


def test_both_languages_say_the_same_things() -> None:
    assert english.RUN.keys() == chinese.RUN.keys()
    for name, text in english.RUN.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", chinese.RUN[name])), name


def test_no_word_is_left_over() -> None:
    folder = Path(english.__file__).parents[1]
    used = "".join(
        file.read_text() for file in folder.rglob("*") if file.suffix in (".j2", ".py")
        and file.parent.name != "words"
    )  # fmt: skip
    stems = (
        *("status-", "ended-", "part-", "script-", "topics-"),
        *("role-", "kind-", "count-", "figure-"),
    )
    for name in english.RUN:
        told = re.search(rf"""['"]{name}['"]|\bw\.{name}\b""", used)
        assert told or name.startswith(stems), name
