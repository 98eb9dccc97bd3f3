"""What the engine does to every source's rows."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.drawing import SET_ASIDE
from sftrecipe.record import record_id
from sftrecipe.run.steps.encoding_damage import REPAIRED, repaired
from sftrecipe.run.steps.source_step import read_source

from ...support.source_rows import columns, context, read, source

CHINESE = st.characters(min_codepoint=0x3000, max_codepoint=0x9FFF)
FULL_WIDTH = st.characters(min_codepoint=0xFF00, max_codepoint=0xFFEF)
PUNCTUATION = st.sampled_from("“”‘’—…·、。，；：？！（）《》【】￥％℃①②×÷±≥≤→ ABCabc123\n\t.,")


def lines(path: Path, numbers: list[int]) -> Path:
    path.write_text("".join(json.dumps({"n": number}) + "\n" for number in numbers))
    return path


@given(st.text(st.one_of(CHINESE, FULL_WIDTH, PUNCTUATION)))
def test_chinese_text_is_never_repaired(text: str) -> None:
    assert repaired(text) is text


@pytest.mark.parametrize("text", ["Grüße für München", "naïve café", "Ça va, garçon ?", "50 £ ± 3"])
def test_correct_latin_text_stays(text: str) -> None:
    assert repaired(text) is text


@pytest.mark.parametrize("encoding", ["cp1252", "cp1254", "mac_roman", "latin-1"])
@pytest.mark.parametrize("text", ["It’s “fine” – café", "🔧 Tür öffnen", "价格：€5（约）"])
def test_text_that_was_read_in_a_wrong_encoding(text: str, encoding: str) -> None:
    try:
        damaged = text.encode().decode(encoding)
    except UnicodeDecodeError:
        pytest.skip("that encoding cannot damage it like this")
    assert repaired(damaged) == text


def test_repaired_rows_have_the_id_of_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"output": "Itâ€™s"}\n{"output": "It’s"}\n{"output": "x", "tools": []}\n')
    plugin = source("jsonl", path="a.jsonl", repair=True)
    ctx = context(plugin, tmp_path)
    rows = [row for row in read_source(plugin, ctx) if row[0]]
    assert rows[0].id == rows[1].id == record_id("step", {"output": "It’s"})  # type: ignore[union-attr]
    assert ctx.counts == {REPAIRED: 1}


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    for name in ("jsonl", "json", "csv", "text", "parquet", "markdown", "sharegpt"):
        suffix = ".json" if name == "sharegpt" else ""
        with pytest.raises(SftrecipeError) as error:
            read(name, tmp_path, path=f"gone{suffix}")
        assert error.value.problem.slug == "missing-file"
        assert str(tmp_path / "gone") in error.value.problem.message("en")


@pytest.mark.parametrize("depth", [200, 300, 1000, 5000])
def test_deep_rows_are_read_or_rejected(depth: int, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"a": {"[" * depth}{"]" * depth}}}\n{{"b": 1}}\n')
    rows, rejects = read("jsonl", tmp_path, path="a.jsonl")
    assert rows[-1].columns == {"b": 1}
    assert len(rows) + len(rejects) == 2
    assert [reject.reason for reject in rejects] == ["not_json"] * (depth > 250)


def test_a_sample_is_the_same_every_time_and_keeps_the_order(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", list(range(1000)))
    first = columns(read("jsonl", tmp_path, path="a.jsonl", sample=100)[0])
    assert first == columns(read("jsonl", tmp_path, path="a.jsonl", sample=100)[0])
    assert [row["n"] for row in first] == sorted(row["n"] for row in first)
    assert len(first) == 100
    other = columns(read("jsonl", tmp_path, seed=1, path="a.jsonl", sample=100)[0])
    assert other != first


def test_a_row_more_changes_at_most_one_row_of_the_sample(tmp_path: Path) -> None:
    numbers = [number % 700 for number in range(1000)]
    lines(tmp_path / "a.jsonl", numbers)
    before = {row.id for row in read("jsonl", tmp_path, path="a.jsonl", sample=300)[0]}
    for place in (0, 500, 1000):
        lines(tmp_path / "a.jsonl", [*numbers[:place], 5000, *numbers[place:]])
        after = {row.id for row in read("jsonl", tmp_path, path="a.jsonl", sample=300)[0]}
        assert len(before ^ after) <= 2


def test_repeated_rows_are_drawn_by_their_share(tmp_path: Path) -> None:
    numbers = [0] * 5000 + list(range(1, 5001))
    random.Random(1).shuffle(numbers)
    lines(tmp_path / "a.jsonl", numbers)
    drawn = [row.columns["n"] for row in read("jsonl", tmp_path, path="a.jsonl", sample=1000)[0]]
    assert 430 < drawn.count(0) < 570
    assert [number for number in numbers if number in set(drawn)] != drawn


def test_what_a_sample_leaves_out_is_counted(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", list(range(30)))
    plugin = source("jsonl", path="a.jsonl", sample=7)
    ctx = context(plugin, tmp_path)
    assert len(list(read_source(plugin, ctx))) == 7
    assert ctx.counts == {SET_ASIDE: 23}
