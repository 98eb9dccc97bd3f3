"""Parts of rows through the real command: kept whole, told, or not sent to who cannot see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.run.plain import Plain
from tests.run.responding import responding
from tests.run.whole import Whole
from tests.sources.foreign_turns import FORMS, as_form, conversations
from tests.standin import StandIn, stand_in

ROWS = 200
UNREAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "sound": ({"audio": {"id": "a1"}}, "unread_part", "message 2: audio"),
    "weight": ({"weight": 0.5}, "unread_part", "message 2: weight 0.5"),
    "key": ({"prefix": True}, "unread_part", "message 2: prefix"),
    "call": (
        {"tool_calls": [{"function": {"name": "f", "arguments": "{city: Rome}"}}]},
        "bad_tool_call",
        "message 2: not JSON",
    ),
}


def drawn_rows() -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Conversations in random forms, each with what it says."""
    found: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []

    @given(st.data())
    @settings(max_examples=ROWS, database=None, phases=[Phase.generate])
    def draw(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(sorted(FORMS)))
        turns = as_form(form, data.draw(conversations()))
        found.append((FORMS[form](data.draw, turns), turns))

    draw()
    return found


def test_rows_of_every_form(tmp_path: Path) -> None:
    drawn = drawn_rows()
    rows = [{**row, "n": number} for number, (row, _) in enumerate(drawn)]
    for word, (parts, *_) in UNREAD.items():
        answer = {"role": "assistant", "content": "a", **parts}
        rows.append({"messages": [{"role": "user", "content": "q"}, answer], "n": word})
    plain = Plain(tmp_path / "p")
    plain.recipe()
    (plain.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    plain.run()
    kept = {row["n"]: row["messages"] for row in plain.data()}
    assert kept == {number: turns for number, (_, turns) in enumerate(drawn)}
    rejects = {each["row"]["columns"]["n"]: each for each in plain.data("rejects.jsonl")}
    assert rejects.keys() == UNREAD.keys()
    for word, (_, reason, detail) in UNREAD.items():
        assert rejects[word]["reason"] == reason
        assert rejects[word]["value"].startswith(detail)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def asked(server: StandIn, folder: Path, rows: list[dict[str, Any]]) -> Whole:
    whole = responding(folder, server.url, [])
    (whole.folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    whole.run()
    return whole


def test_a_picture_that_is_not_sent_is_told(server: StandIn, tmp_path: Path) -> None:
    parts = [{"type": "image_url", "image_url": {"url": "a.png"}}, {"type": "text", "text": "Who?"}]
    answered = [
        {"role": "user", "content": "<image>Where?"},
        {"role": "assistant", "content": "There."},
    ]
    whole = asked(
        server,
        tmp_path / "p",
        [
            {"messages": [{"role": "user", "content": parts}]},
            {"messages": answered, "images": ["b.png"]},
            {"instruction": "What does <image> mean in HTML?"},
        ],
    )
    rejects = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    [lost] = [reject for reject in rejects if reject["step"] == "g"]
    assert lost["reason"] == "unread_part"
    assert "images are not sent" in lost["value"]
    assert lost["row"]["columns"]["images"] == ["a.png"]
    assert whole.steps()["g"]["kept"] == 2
