"""jsonl, parquet and datasets keep every row and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sftrecipe import PluginRefused
from sftrecipe.testing import RowList

from ...support.exports import export

ROWS = RowList.of(
    {"instruction": "q", "n": 1, "tags": ["a"], "mixed": 1},
    {"instruction": "医", "n": 2.5, "mixed": "x", "empty": {}},
    {"instruction": None, "deep": {"a": [{"b": None}]}, "mixed": [1]},
)
ROWS[0] = ROWS[0]._replace(scores={"quality": 0.5}, tags={"type": "triage"}, parents=("p",))


def without_nulls(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def test_jsonl_is_the_columns(tmp_path: Path) -> None:
    (made,) = export("jsonl", ROWS, tmp_path).sets
    lines = (tmp_path / "demo.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [row.columns for row in ROWS]
    assert (made.rows, made.entry) == (3, None)
    assert "医" in lines[1]


def test_lineage_is_added(tmp_path: Path) -> None:
    export("jsonl", ROWS, tmp_path, lineage=True, name="with_lineage")
    first = json.loads((tmp_path / "with_lineage.jsonl").read_text().splitlines()[0])
    assert first["lineage"] == {
        **{"id": ROWS[0].id, "stream": "rows", "origin": "rows:1", "parents": ["p"], "calls": []},
        **{"scores": {"quality": 0.5}, "tags": {"type": "triage"}},
    }


def test_parquet_gives_a_column_one_type_and_json_where_rows_disagree(tmp_path: Path) -> None:
    export("parquet", ROWS, tmp_path, lineage=True)
    table = pq.read_table(tmp_path / "demo.parquet")
    rows = without_nulls(table.to_pylist())
    assert [row["mixed"] for row in rows] == ["1", "x", "[1]"]
    assert [row.get("n") for row in rows] == [1.0, 2.5, None]
    assert rows[1]["empty"] == "{}"
    assert rows[2]["deep"] == {"a": [{"b": None}]}
    assert json.loads(rows[0]["lineage"]["scores"]) == {"quality": 0.5}


def test_types_hold_over_many_rows(tmp_path: Path) -> None:
    rows = RowList.of(*({"a": n, "b": "x"} for n in range(5000)), {"a": "late", "c": [1]})
    export("parquet", rows, tmp_path)
    table = pq.read_table(tmp_path / "demo.parquet")
    assert table.num_rows == 5001
    assert table["a"].to_pylist()[-2:] == ["4999", "late"]


@pytest.mark.parametrize("use", ["jsonl", "parquet", "datasets"])
def test_no_rows_make_an_empty_set(tmp_path: Path, use: str) -> None:
    assert export(use, RowList(), tmp_path).sets[0].rows == 0


def test_datasets_are_loaded_from_disk(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    export("datasets", ROWS, tmp_path, lineage=True)
    export("datasets", ROWS, tmp_path, lineage=True)  # a second run takes the first one's place
    loaded = datasets.load_from_disk(str(tmp_path / "demo"))
    assert loaded["instruction"][:] == ["q", "医", None]
    assert loaded[0]["lineage"]["id"] == ROWS[0].id
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_push_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    import huggingface_hub.constants as hub  # noqa: PLC0415

    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    with pytest.raises(PluginRefused, match="cannot be pushed to 'somebody/some_set'"):
        export("datasets", ROWS, tmp_path, push_to_hub="somebody/some_set")
