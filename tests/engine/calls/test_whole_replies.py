"""Only `max_tokens` changed: whole replies are taken from the ledger, cut ones are asked again."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.calls.ledger.call_keys import provider_part
from sftrecipe.calls.ledger.counted_calls import open_history
from sftrecipe.calls.ledger.repair import repair
from sftrecipe.calls.replies.whole_replies import alike
from sftrecipe.plugin.provider import Request

from ...support.asked_calls import say, session
from ...support.odd_server import Sent, fault, odd_server
from ...support.scripted_replies import responding

EXAMPLES = max(12, int(os.environ.get("SFTRECIPE_TEST_RUNS", "0")))
LENGTH = 50
"""Tokens of the text `long`; `short` has 5, `untold` tells none."""


def _answer(text: str, most: int | None) -> Sent:
    """As a server would write it, that keeps to `max_tokens`."""
    needed = LENGTH if text.startswith("long") else 5
    cut = most is not None and most < needed
    choice = {
        "message": {"content": text[:2] if cut else f"all of {text}"},
        "finish_reason": "length" if cut else "stop",
    }
    told = {"prompt_tokens": 3, "completion_tokens": most if cut else needed}
    usage = None if text.startswith("untold") else told
    return Sent(200, json.dumps({"choices": [choice], "usage": usage}).encode())


class _Server:
    """Counts what reaches it; `most` is what the calls of the moment say."""

    def __init__(self) -> None:
        self.most: int | None = None

    def __call__(self, said: str, before: int) -> Sent:
        return _answer(said, self.most)


async def _ask(url: str, folder: Path, text: str, most: int | None, **more: Any) -> Any:
    sampling = {**more.pop("sampling", {}), **({} if most is None else {"max_tokens": most})}
    async with session(url, folder, **more) as opened:
        return await say(opened.model("teacher", "step"), text, sampling=sampling)


async def test_raised_lowered_and_left_out(tmp_path: Path) -> None:
    answers = _Server()
    # text, then limits in turn with whether the call leaves
    turns: dict[str, list[tuple[int | None, bool]]] = {
        "long": [(10, True), (60, True), (100, False), (None, False), (50, False), (49, True)],
        "long, without first": [(None, True), (64, False), (49, True), (48, True)],
        "short": [(10, True), (11, False), (5, False), (4, True), (None, False)],
        "untold": [(40, True), (80, False), (39, True), (None, False)],
    }
    with odd_server(answers) as server:
        for text, limits in turns.items():
            for most, leaves in limits:
                answers.most, before = most, server.asked[text]
                reply = await _ask(server.url, tmp_path, text, most)
                assert server.asked[text] == before + leaves, (text, most)
                needed = LENGTH if text.startswith("long") else 5
                assert reply.cut_off is (most is not None and most < needed)


async def test_all_else_must_be_equal(tmp_path: Path) -> None:
    with odd_server(_Server()) as server:
        ways: list[dict[str, Any]] = [
            {}, {"sampling": {"temperature": 0.5}}, {"sampling": {"extra": {"top_k": 1}}},
            {"revision": "b"}, {"model": "other"}, {"extra": {"top_k": 1}}, {"thinking": "off",
            "vendor": "vllm"},
        ]  # fmt: skip
        for number, way in enumerate(ways, 1):
            await _ask(server.url, tmp_path, "short", 10 + number, **way)
            assert server.asked["short"] == number
        await _ask(server.url, tmp_path, "short", 99, revision="b")
        assert server.asked["short"] == len(ways)


async def test_what_failed_first_is_found_once_it_is_answered(tmp_path: Path) -> None:
    def answers(said: str, before: int) -> Sent:
        return fault(400, "no") if not before else _answer(said, None)

    with odd_server(answers) as server:
        for most in (10, 10, 20):
            try:
                await _ask(server.url, tmp_path, "short", most)
            except Exception:
                assert most == 10
        assert server.asked["short"] == 2


def _older(path: Path) -> None:
    """The ledger as version 3 wrote it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE whole_replies")
        for column in ("reasoning", "tool_calls"):
            connection.execute(f"ALTER TABLE calls DROP COLUMN {column}")
        connection.execute("PRAGMA user_version = 3")
        connection.commit()


async def test_an_older_or_repaired_ledger_knows_its_whole_replies(tmp_path: Path) -> None:
    path = tmp_path / ".sftrecipe" / "ledger.sqlite"
    answers = _Server()
    with odd_server(answers) as server:
        for text in ("short", "long"):
            answers.most = 10
            await _ask(server.url, tmp_path, text, 10, sampling={"top_p": 0.5})
        for change in (_older, repair):
            change(path)
            reply = await _ask(server.url, tmp_path, "short", 900, sampling={"top_p": 0.5})
            assert reply.text == "all of short"
        answers.most = 900
        reply = await _ask(server.url, tmp_path, "long", 900, sampling={"top_p": 0.5})
        assert reply.text == "all of long"
        assert server.asked == {"short": 1, "long": 2}
    request = Request("chat", ({"role": "user", "content": "short"},), sampling={"top_p": 0.5})
    mark = alike("openai", "m", request)
    with open_history(path) as history:
        for revision, is_there in ({"revision": "b"}, False), ({}, True):
            part = provider_part("openai", {"model": "m", **revision})
            assert (history.whole_reply(mark, part, request) is not None) is is_there


_LIMITS = st.sampled_from([None, 3, 5, 7, 50, 80])


@settings(max_examples=EXAMPLES, deadline=None)
@given(turns=st.lists(st.tuples(st.sampled_from(["short", "long"]), _LIMITS), max_size=8))
def test_whatever_the_history_replies_are_those_of_a_new_ledger(
    tmp_path_factory: Any, turns: list[tuple[str, int | None]]
) -> None:
    import asyncio  # noqa: PLC0415

    folder, answers = tmp_path_factory.mktemp("ledger"), _Server()

    async def play(url: str) -> None:
        for text, most in turns:
            answers.most = most
            reply = await _ask(url, folder, text, most)
            new = json.loads(_answer(text, most).body)["choices"][0]
            assert reply.text == new["message"]["content"]

    with odd_server(answers) as server:
        asyncio.run(play(server.url))
        assert server.asked.total() <= len(set(turns))


def test_the_command_asks_only_what_was_cut_and_plan_knows_it(tmp_path: Path) -> None:
    answers = _Server()
    answers.most = 10
    with odd_server(answers) as server:
        texts = [f"short {n}" for n in range(6)] + [f"long {n}" for n in range(3)]
        price = "{input: 1, output: 1}"
        project = responding(tmp_path, server.url, texts, price=price, sampling="{max_tokens: 10}")
        project.run()
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace("max_tokens: 10", "max_tokens: 90"))
        answers.most = 90
        plan = json.loads(project.command("plan", "recipe.yaml", "--json").stdout)
        (step,) = [each for each in plan["steps"] if each["id"] == "g"]
        assert step["asked"] == [3, 3] and step["held"] == 6
        project.run()
        assert server.asked.total() == 9 + 3
    rows = json.loads((project.out / "whole.json").read_text())
    assert sorted(row["output"] for row in rows) == sorted(f"all of {text}" for text in texts)
