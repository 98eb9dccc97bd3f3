"""Rows with thoughts, calls and masked turns, from a file to the training, by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

RECIPE = """\
version: 1
name: think
sources:
  talks: {use: jsonl, path: rows.jsonl}
export:
  - {use: llamafactory, with: {formatting: sharegpt, non_thinking: 0.5, EXPORT}}
train:
  use: llamafactory
  with: {stage: sft, model_name_or_path: org/model, template: qwen3, enable_thinking: null}
"""
CALL = {"type": "function", "function": {"name": "weather", "arguments": '{"city": "上海"}'}}
TALKS: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "user", "content": f"问题 {number}?"},
            {"role": "assistant", "content": "wrong", "weight": 0},
            {"role": "user", "content": "No."},
            {"role": "assistant", "content": f"答 {number}", "reasoning_content": "想一想"},
        ],
        "note": "n",
    }
    for number in range(4)
]
CALLING = {
    "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": "I look.", "tool_calls": [{"id": "c", **CALL}]},
        {"role": "tool", "tool_call_id": "c", "content": "sunny"},
        {"role": "assistant", "content": "Sunny."},
    ]
}


def run(folder: Path, export: str, language: str = "en") -> dict[str, Any]:
    """The facts of a run of the real command, with what it printed."""
    rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [*TALKS, CALLING])
    (folder / ".sftrecipe").mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text(rows, "utf-8")
    (folder / "recipe.yaml").write_text(RECIPE.replace("EXPORT", export))
    done = subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml", "--to", "data"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "SFTRECIPE_LANG": language},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    out = folder / "runs" / "think"
    facts: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    written = json.loads((out / "think.json").read_text("utf-8"))
    rejects = (out / "rejects.jsonl").read_text("utf-8").splitlines()
    return {**facts, "printed": done.stdout, "written": written, "rejects": rejects}


def test_what_most_rows_need_is_written_and_told(tmp_path: Path) -> None:
    told = run(tmp_path, "masked: reject")
    answers = [row["messages"][-1]["content"] for row in told["written"]]
    thought = "<think>\n想一想\n</think>\n\n"
    assert sorted(answer.removeprefix(thought) for answer in answers) == [
        f"答 {number}" for number in range(4)
    ]
    assert sum(answer.startswith(thought) for answer in answers) == 2
    assert (
        "think: some of its answers are not to be learned: train it with mask_history: true"
        in (told["printed"])
    )
    assert "mask_history: true\n" in (tmp_path / "runs/think/train.yaml").read_text("utf-8")
    assert told["data_sets"][0]["needs"] == {"mask_history": True}
    (reject,) = map(json.loads, told["rejects"])
    assert (reject["reason"], reject["value"]) == (
        *("masked_turn", "of 2 answers all are to be learned"),
    )
    counts = told["steps"][-1]["counts"]
    assert counts == {
        "rows with thoughts": 2,
        "rows without their thoughts": 2,
        "rows whose column 'note' is not written": 4,
    }


def test_each_learned_answer_is_a_row_where_that_is_wanted(tmp_path: Path) -> None:
    told = run(tmp_path, "masked: split", language="zh")
    assert len(told["written"]) == 6
    assert told["rejects"] == []
    assert "其中有些回答不应被学习，训练时须写 mask_history: true" in told["printed"]
    called = next(
        row["messages"][1] for row in told["written"] if row["messages"][-1]["role"] != "assistant"
    )
    call = {"name": "weather", "arguments": {"city": "上海"}}
    text = json.dumps(call, ensure_ascii=False)
    assert called == {"role": "function_call", "content": f"I look.\n<tool_call>{text}</tool_call>"}
