"""Real data sets are read whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.run.steps.encoding_damage import repaired

from ...support.source_rows import columns, read

DATA = Path(__file__).parents[4] / "shared" / "data"

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not DATA.exists(), reason=f"the reference data is absent: {DATA}"),
]


def loaded(name: str) -> list[dict[str, Any]]:
    text = (DATA / name).read_text("utf-8")
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


@pytest.mark.parametrize(
    ("name", "count", "names"),
    [
        ("identity", 91, {"instruction", "input", "output"}),
        ("alpaca_en_demo", 999, {"instruction", "input", "output"}),
        ("alpaca_zh_demo", 1000, {"instruction", "input", "output"}),
        ("glaive_toolcall_en_demo", 300, {"messages", "tools"}),
        ("dpo_en_demo", 300, {"messages", "chosen", "rejected"}),
        ("kto_en_demo", 300, {"messages", "label"}),
        ("wiki_demo", 30, {"text"}),
        ("c4_demo", 300, {"text"}),
    ],
)
def test_the_demo_sets_of_llamafactory(name: str, count: int, names: set[str]) -> None:
    catalogue = "dataset_info.json"
    rows, rejects = read("dataset", DATA / "llamafactory", name=name, catalogue=catalogue)
    assert (len(rows), rejects) == (count, [])
    assert {column for row in rows for column in row.columns} == names


def test_alpaca_rows_are_what_the_file_holds() -> None:
    rows, _ = read("dataset", DATA / "llamafactory", name="alpaca_zh_demo")
    assert columns(rows) == loaded("llamafactory/alpaca_zh_demo.json")


def test_chatdoctor() -> None:
    path = "chatdoctor/chatdoctor_3000.json"
    rows, rejects = read("healthcaremagic", DATA, path=path, instruction="system")
    assert (len(rows), rejects) == (3000, [])
    raw = loaded(path)
    assert [row.columns["instruction"] for row in rows] == [repaired(row["input"]) for row in raw]
    assert sum(row.columns["output"] != old["output"] for row, old in zip(rows, raw, strict=True))


def test_self_instruct_seeds() -> None:
    rows, rejects = read("self_instruct_instances", DATA, path="self_instruct/seed_tasks.jsonl")
    assert (len(rows), rejects) == (175, [])
    assert sum(row.columns["is_classification"] for row in rows) == 26


def test_medical_seeds() -> None:
    rows, rejects = read("self_instruct_instances", DATA, path="medical_seed/seed_tasks.jsonl")
    assert (len(rows), rejects) == (12, [])


def test_gb18030_round_trip(tmp_path: Path) -> None:
    raw = loaded("llamafactory/alpaca_zh_demo.json")
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in raw)
    (tmp_path / "a.jsonl").write_bytes(text.encode("gb18030"))
    (tmp_path / "a.json").write_bytes(
        json.dumps(raw, ensure_ascii=False, indent=2).encode("gb18030")
    )
    assert columns(read("jsonl", tmp_path, path="a.jsonl")[0]) == raw
    assert columns(read("json", tmp_path, path="a.json")[0]) == raw


def test_no_chinese_text_is_repaired() -> None:
    for row in loaded("llamafactory/alpaca_zh_demo.json"):
        for value in row.values():
            assert repaired(value) is value


def test_markdown_course_pages() -> None:
    rows, rejects = read("markdown", DATA, path="smol_course", split=2)
    assert len(rows) > 6
    assert rejects == []
    assert {row.columns["path"] for row in rows} == {
        "smol_course/instruction_datasets.md",
        "smol_course/preference_datasets.md",
    }
