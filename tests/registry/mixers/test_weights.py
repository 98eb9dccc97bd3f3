"""The mixer `weights`: numbers of rows, and which rows in which order."""

from __future__ import annotations

from collections import Counter
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sftrecipe import Context, PluginRefused
from sftrecipe.plugin import Mix, OptionFiles, Pick
from sftrecipe.testing import RowList
from sftrecipe_registry.mixers.weights import picks as drawing
from sftrecipe_registry.mixers.weights.mixer import Weights

from ...support.plain_runs import examples

CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "mixer" / "weights.yaml").read_text("utf-8")
)


def stream(name: str, rows: int) -> RowList:
    return RowList.of(*({"n": number} for number in range(rows)), stream=name)


def mixed(options: dict[str, Any], available: dict[str, int], seed: int = 7) -> Mix:
    streams = {name: stream(name, rows) for name, rows in available.items()}
    return Weights.model_validate(options).mix(streams, Context("mix", seed=seed))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_case(case: dict[str, Any]) -> None:
    if "invalid" in case:
        with pytest.raises(ValidationError) as error:
            Weights.model_validate(case["with"])
        assert case["invalid"] in {".".join(map(str, each["loc"])) for each in error.value.errors()}
    elif "refused" in case:
        with pytest.raises(PluginRefused) as refusal:
            mixed(case["with"], case["available"])
        assert str(refusal.value) == case["refused"]
    else:
        mix = mixed(case["with"], case["available"])
        counts = Counter(pick.stream for pick in mix.picks)
        assert {name: counts[name] for name in case["rows"]} == case["rows"]
        assert {n: s["rows"] for n, s in mix.notes["streams"].items()} == case["rows"]  # type: ignore[attr-defined]


NAMES = st.sampled_from("abcdef")
STREAMS = st.dictionaries(NAMES, st.tuples(st.floats(0.01, 100), st.integers(1, 40)), min_size=1)


@given(streams=STREAMS, total=st.integers(1, 150))
@settings(max_examples=150, deadline=None)
def test_repeat_gives_exactly_the_total(streams: dict[str, tuple[float, int]], total: int) -> None:
    weights = {name: weight for name, (weight, _) in streams.items()}
    available = {name: rows for name, (_, rows) in streams.items()}
    options = {"weights": weights, "total": total, "on_shortage": "repeat"}
    mix = mixed(options, available)
    assert len(mix.picks) == total
    counts = Counter(pick.stream for pick in mix.picks)
    for name, weight in weights.items():
        quota = total * weight / sum(weights.values())
        assert floor(quota - 1e-6) <= counts[name] <= ceil(quota + 1e-6)
        times = Counter(pick.row for pick in mix.picks if pick.stream == name)
        assert all(0 <= row < available[name] for row in times)
        if counts[name] >= available[name]:
            assert set(times) == set(range(available[name]))
        assert not times or max(times.values()) <= ceil(counts[name] / available[name])
    turned = dict(reversed(weights.items())), dict(reversed(available.items()))
    again = mixed(options | {"weights": turned[0]}, turned[1])
    assert list(again.picks) == list(mix.picks)
    assert again.notes == mix.notes


@given(streams=STREAMS)
@settings(max_examples=150, deadline=None)
def test_without_a_total_no_stream_is_short(streams: dict[str, tuple[float, int]]) -> None:
    mix = mixed(
        {"weights": {name: weight for name, (weight, _) in streams.items()}},
        {name: rows for name, (_, rows) in streams.items()},
    )
    picks = list(mix.picks)
    assert len(set(picks)) == len(picks)
    counts = Counter(pick.stream for pick in picks)
    assert any(counts[name] >= rows - 1 for name, (_, rows) in streams.items())


def test_the_seed_decides() -> None:
    options, available = {"weights": {"a": 1, "b": 1}, "total": 100}, {"a": 200, "b": 300}
    assert list(mixed(options, available).picks) == list(mixed(options, available).picks)
    assert list(mixed(options, available).picks) != list(mixed(options, available, seed=8).picks)


def test_one_more_row_changes_one_draw_at_most() -> None:
    options = {"weights": {"a": 1, "b": 1}, "total": 100}
    before = list(mixed(options, {"a": 200, "b": 300}).picks)
    for more in (201, 205):
        after = list(mixed(options, {"a": more, "b": 300}).picks)
        assert len(set(after) - set(before)) <= more - 200
        same = set(before) & set(after)
        assert [p for p in after if p in same] == [p for p in before if p in same]


def test_the_order_is_shuffled_through_the_streams() -> None:
    picks = mixed({"weights": {"a": 1, "b": 1}, "total": 400}, {"a": 2000, "b": 200}).picks
    half = Counter(pick.stream for pick in picks[:200])
    assert 75 <= half["a"] <= 125
    rows = [pick.row for pick in picks if pick.stream == "b"]
    assert rows != sorted(rows)
    copies = mixed({"weights": {"a": 1}, "total": 400, "on_shortage": "repeat"}, {"a": 200}).picks
    assert len({pick.row for pick in copies[:200]}) < 170


def test_equal_rows_are_drawn_like_others() -> None:
    rows = RowList.of(*({"n": number % 2} for number in range(10)), stream="a")
    picks = Weights(weights={"a": 1}, total=5).mix({"a": rows}, Context("mix")).picks
    assert len(set(picks)) == 5


def test_picks_are_a_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "CHUNK", 7)
    picks = mixed({"weights": {"a": 1, "b": 2}, "total": 30}, {"a": 20, "b": 20}).picks
    listed = list(picks)
    assert len(picks) == len(listed) == 30
    assert all(isinstance(pick, Pick) for pick in listed)
    assert [picks[at] for at in range(30)] == listed
    assert list(picks[5:9]) == listed[5:9]
    assert picks[-1] == listed[-1]
    assert listed[3] in picks
    assert type(listed[0].row) is int
    with pytest.raises(IndexError):
        picks[30]


TEXTS = st.lists(st.integers(1, 60), min_size=1, max_size=30)
"""Words of the rows of a stream."""


@given(
    streams=st.dictionaries(NAMES, st.tuples(st.floats(0.1, 10), TEXTS), min_size=1),
    total=st.integers(1, 3000) | st.none(),
    on_shortage=st.sampled_from(["error", "scale", "repeat"]),
)
@settings(max_examples=examples(80), deadline=None)
def test_parts_of_tokens_come_as_near_as_whole_rows_do(
    streams: dict[str, tuple[float, list[int]]], total: int | None, on_shortage: str
) -> None:
    rows = {
        name: RowList.of(*({"text": "word " * words} for words in texts), stream=name)
        for name, (_, texts) in streams.items()
    }
    weights = {name: weight for name, (weight, _) in streams.items()}
    options = {"weights": weights, "total": total, "on_shortage": on_shortage, "by": "tokens"}
    try:
        mix = Weights.model_validate(options).mix(rows, Context("mix", seed=7))
    except PluginRefused as refusal:
        too_few = "tokens of" in str(refusal) and on_shortage == "error"
        assert too_few or "is as short as" in str(refusal)
        return
    told: Any = mix.notes["streams"]
    for name, (_, texts) in streams.items():
        times = Counter(pick.row for pick in mix.picks if pick.stream == name)
        given = sum(texts[row] * count for row, count in times.items())
        assert told[name]["tokens"] == given
        assert told[name]["rows"] == times.total()
        if on_shortage == "repeat" or total is None:
            assert abs(given - told[name]["asked_tokens"]) <= max(texts) / 2
        if on_shortage != "repeat":
            assert max(times.values(), default=0) <= 1
        else:
            assert not times or max(times.values()) - min(times.values()) <= 1


def test_a_tokenizer_counts_where_one_is_named(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")
    tokenizer = tokenizers.Tokenizer(words)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    rows = {
        name: RowList.of(*({"text": text, "n": n} for n in range(30)), stream=name)
        for name, text in (("a", "extraordinarily long-winded!"), ("b", "a b c d"))
    }
    options = {"weights": {"a": 1, "b": 1}, "by": "tokens", "tokenizer": "t.json"}
    mixer = Weights.model_validate(options)
    for name, found in (("tokenizer.json", {"a": 30, "b": 15}), ("broken.json", None)):
        (tmp_path / "broken.json").write_text("{}")
        files = OptionFiles({"t.json": str(tmp_path / name)})
        ctx = Context("mix", files=files)
        if found is None:
            with pytest.raises(PluginRefused, match=r"tokenizer 'broken\.json' cannot be read"):
                mixer.mix(rows, ctx)
        else:
            assert Counter(pick.stream for pick in mixer.mix(rows, ctx).picks) == found


def test_options_on_tokens_are_in_no_key_of_rows() -> None:
    assert Weights(weights={"a": 1}).identity() == {
        "weights": {"a": 1.0},
        "total": None,
        "on_shortage": "error",
    }


def test_notes_tell_what_was_asked_and_given() -> None:
    options = {"weights": {"a": 1, "b": 3}, "total": 40, "on_shortage": "repeat"}
    notes = mixed(options, {"a": 4, "b": 50}).notes
    assert (notes["asked_total"], notes["rows"]) == (40, 40)
    assert notes["streams"]["a"] == {  # type: ignore[index]
        "asked_share": 0.25,
        "asked_rows": 10,
        "rows": 10,
        "share": 0.25,
        "available": 4,
        "shortage": 6,
        "repeated": 6,
    }
