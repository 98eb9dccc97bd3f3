"""LLaMA-Factory's demo sets, read and written back, lose nothing that it accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.testing import RowList

from ...support.exports import export
from ...support.training_environment import ABSENT, training_python
from ...support.training_model import answered, small_model

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "llamafactory"
ROLES = {
    "human": "user",
    "gpt": "assistant",
    "observation": "tool",
}
KEEP = ["control_token"]
WRITTEN = {"tool": "observation"}

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not FOLDER.exists(), reason=f"the reference data is absent: {FOLDER}"),
]


def turn(read: dict[str, str]) -> dict[str, Any]:
    """A turn of theirs in our form."""
    role = read.get("role") or read["from"]
    content = read.get("content", read.get("value", ""))
    if role == "function_call":
        return {"role": "assistant", "content": "", "tool_calls": [json.loads(content)]}
    return {"role": ROLES.get(role, role), "content": content}


def written(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"role": "function_call", "content": json.dumps(each["tool_calls"][0], ensure_ascii=False)}
        if "tool_calls" in each
        else {**each, "role": WRITTEN.get(each["role"], each["role"])}
        for each in turns
    ]


def read(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((FOLDER / name).read_text("utf-8"))
    return rows


def talks(name: str, column: str) -> list[dict[str, Any]]:
    """Their rows in our columns."""
    made = []
    for row in read(name):
        columns = {key: value for key, value in row.items() if key != column}
        for answer in ("chosen", "rejected"):
            if answer in columns:
                columns[answer] = turn(columns[answer])
        made.append({**columns, "messages": [turn(each) for each in row[column]]})
    return made


@pytest.mark.parametrize("name", ["identity", "alpaca_en_demo", "alpaca_zh_demo"])
def test_alpaca(name: str, tmp_path: Path) -> None:
    rows = read(f"{name}.json")
    made = export("llamafactory", RowList.of(*rows), tmp_path)
    rejected = [dict(record.columns) for record, _, _ in made.rejects]
    assert made.rows() == [row for row in rows if row not in rejected]
    assert set(made.reasons) <= {"empty_answer"}
    assert len(rejected) < 3


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("glaive_toolcall_en_demo", "conversations"),
        ("dpo_en_demo", "conversations"),
        ("kto_en_demo", "messages"),
    ],
)
def test_sharegpt(name: str, column: str, tmp_path: Path) -> None:
    rows = talks(f"{name}.json", column)
    made = export("llamafactory", RowList.of(*rows), tmp_path, formatting="sharegpt", keep=KEEP)
    assert made.reasons == []
    expected = [
        {**row, "messages": written(row["messages"])}
        if row.get("tools", "x")
        else {"messages": written(row["messages"])}
        for row in rows
    ]
    assert made.rows() == expected


def test_other_models_control_tokens_are_found(tmp_path: Path) -> None:
    rows = RowList.of(*talks("kto_en_demo.json", "messages"))
    made = export("llamafactory", rows, tmp_path)
    assert [value for _, _, value in made.rejects] == ["</s>", "<|user|>"]


@pytest.mark.parametrize(
    ("name", "column"), [("dpo_en_demo", "conversations"), ("kto_en_demo", "messages")]
)
def test_sharegpt_through_alpaca_and_back(name: str, column: str, tmp_path: Path) -> None:
    rows = talks(f"{name}.json", column)
    alpaca = export("llamafactory", RowList.of(*rows), tmp_path, keep=KEEP).rows()
    again = RowList.of(*alpaca)
    back = export("llamafactory", again, tmp_path, formatting="sharegpt", keep=KEEP)
    assert back.rows() == rows


@pytest.mark.parametrize("name", ["c4_demo.jsonl", "wiki_demo.txt"])
def test_text(name: str, tmp_path: Path) -> None:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] if name.endswith("jsonl") else line for line in lines]
    rows = RowList.of(*({"text": text} for text in texts))
    made = export("llamafactory", rows, tmp_path, formatting="text")
    assert set(made.reasons) <= {"empty_prompt", "control_token"}
    rejected = {record.id for record, _, _ in made.rejects}
    assert [row["text"] for row in made.rows()] == [
        row.columns["text"] for row in rows if row.id not in rejected
    ]


@pytest.mark.heavy
def test_llamafactory_loads_every_row_of_them(tmp_path: Path) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    model = small_model(tmp_path / "model")
    exports = [
        ("alpaca_zh_demo", read("alpaca_zh_demo.json"), "sft", "alpaca"),
        ("alpaca_en_demo", read("alpaca_en_demo.json"), "sft", "sharegpt"),
        ("tools", talks("glaive_toolcall_en_demo.json", "conversations"), "sft", "sharegpt"),
        ("dpo_demo", talks("dpo_en_demo.json", "conversations"), "dpo", "alpaca"),
        ("kto_demo", talks("kto_en_demo.json", "messages"), "kto", "sharegpt"),
    ]
    cases, counts = [], []
    for name, rows, stage, formatting in exports:
        made = export("llamafactory", RowList.of(*rows), tmp_path, name=name, formatting=formatting)
        counts.append((name, made.sets[0].rows))
        cases.append(
            {
                **{"dataset_dir": str(tmp_path), "dataset": name, "stage": stage},
                **{"template": "smollm2", "model": str(model)},
            }
        )
    answers = answered(python, cases)
    assert [answer["error"] for answer in answers] == [None] * len(cases)
    assert [
        (case["dataset"], answer["examples"]) for case, answer in zip(cases, answers, strict=True)
    ] == counts
