"""Answers to instructions."""

from __future__ import annotations

from pathlib import Path

import pytest

from sftrecipe import Context, Record, Reject
from sftrecipe.plugin import Answer, OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.generators.respond import Respond


async def made_by(plugin: Respond, rows: RowList, model: FakeModel) -> list[Record | Reject]:
    ctx = Context(step="answered", models={"": model}, concurrency=4)
    return [item async for item in plugin.generate(rows, ctx)]


def echo(request: Request) -> str:
    return f"{request.sample}: " + " | ".join(
        f"{turn['role']}={turn['content']}" for turn in request.messages
    )


async def test_every_row_is_answered_in_order_with_its_lineage() -> None:
    rows = RowList.of(*({"instruction": f"Q{n}", "input": "at home"} for n in range(30)))
    made = await made_by(Respond(system="Be {{ input }}."), rows, FakeModel(echo))
    assert [item.columns["output"] for item in made if isinstance(item, Record)] == [
        f"0: system=Be at home. | user=Q{n}\nat home" for n in range(30)
    ]
    assert [item.parents for item in made] == [(row.id,) for row in rows]


async def test_chat_turns_get_their_next_turn() -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "And?"},
    ]
    made = await made_by(Respond(), RowList.of({"messages": turns}), FakeModel(lambda r: "So."))
    assert made[0].columns["messages"] == [*turns, {"role": "assistant", "content": "So."}]


async def test_an_old_answer_is_not_shown_to_the_model() -> None:
    row = {"instruction": "Q", "output": "secret"}
    made = await made_by(Respond(replace=True), RowList.of(row), FakeModel(echo))
    assert made[0].columns["output"] == "0: user=Q"


async def test_a_row_with_an_answer_passes_without_a_call() -> None:
    model = FakeModel(echo)
    rows = RowList.of({"instruction": "Q", "output": "A"}, {"instruction": "Q"})
    made = await made_by(Respond(), rows, model)
    assert [item.columns["output"] for item in made] == ["A", "0: user=Q"]
    assert len(model.requests) == 1


async def test_samples_are_rows() -> None:
    made = await made_by(Respond(samples=3), RowList.of({"instruction": "Q"}), FakeModel(echo))
    assert [item.columns["output"][0] for item in made] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Answer("so we beg", "length"), "cut_off"), (Answer("  "), "empty_answer")],
)
async def test_a_bad_answer_is_a_reject(answer: Answer, reason: str) -> None:
    made = await made_by(Respond(), RowList.of({"instruction": "Q"}), FakeModel(lambda r: answer))
    assert [item.reason for item in made if isinstance(item, Reject)] == [reason]
    if reason == "cut_off":
        kept = await made_by(
            Respond(keep_cut_off=True),
            RowList.of({"instruction": "Q"}),
            FakeModel(lambda r: answer),
        )
        assert kept[0].columns["output"] == "so we beg"


async def test_a_row_without_a_question_is_a_reject() -> None:
    model = FakeModel(echo)
    made = await made_by(Respond(), RowList.of({"text": "a document"}), model)
    assert made[0].reason == "no_instruction"
    assert not model.requests


async def test_a_prompt_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "system.j2").write_text("Be {{ tone }}.")
    files = OptionFiles({"system.j2": str(tmp_path / "system.j2")})
    rows = RowList.of({"instruction": "Q", "tone": "kind"})
    ctx = Context(step="answered", models={"": FakeModel(echo)}, files=files)
    made = [item async for item in Respond(system="system.j2").generate(rows, ctx)]
    assert made[0].columns["output"] == "0: system=Be kind. | user=Q"
