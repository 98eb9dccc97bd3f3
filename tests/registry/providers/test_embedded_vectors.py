"""The embedded model's embeddings: the real model."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sftrecipe import CallFailed
from sftrecipe.calls.session import open_session
from sftrecipe.plugin.asked_model import Model
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.embedded import Embedded

pytestmark = pytest.mark.heavy

ALIKE = [
    ("What are the symptoms of diabetes?", "What are the early signs of high blood sugar?"),
    ("How is high blood pressure treated?", "Which medicine lowers blood pressure?"),
    ("What should I do for a child with a fever?", "How can I bring down my baby's temperature?"),
]
OTHER = [
    "Write a poem about the sea.",
    "Explain the rules of chess.",
    "What is the capital of France?",
]
MARGIN = 0.05
"""Measured: alike 0.92 to 0.94, to other topics 0.72 to 0.83."""


@asynccontextmanager
async def model(folder: Path) -> AsyncIterator[Model]:
    block = Block("providers", "p", "embedded", Embedded(context=512))
    async with open_session({"p": block}, folder / "ledger.sqlite", run="r") as session:
        yield session.model("p", "step")


def _cosine(one: Sequence[float], two: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, two, strict=True))


async def test_alike_questions_are_closer_than_others(tmp_path: Path) -> None:
    texts = [text for pair in ALIKE for text in pair] + OTHER
    async with model(tmp_path) as asked:
        replies = await asyncio.gather(*(asked.embed(text) for text in texts))
    vectors = {text: reply.vector for text, reply in zip(texts, replies, strict=True)}
    assert {len(vector) for vector in vectors.values()} == {576}
    for vector in vectors.values():
        assert math.sqrt(_cosine(vector, vector)) == pytest.approx(1, abs=1e-6)
    for pair in ALIKE:
        alike = _cosine(vectors[pair[0]], vectors[pair[1]])
        for text in pair:
            for other in OTHER:
                assert alike > _cosine(vectors[text], vectors[other]) + MARGIN, (text, other)


async def test_equal_texts_have_equal_vectors_here_and_in_another_process(tmp_path: Path) -> None:
    texts = [f"What helps against {what}?" for what in ("a cold", "a cough", "hiccups")]
    async with model(tmp_path / "one") as asked:
        together = await asyncio.gather(*(asked.embed(text) for text in texts))
    script = f"""
import asyncio, json, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from tests.registry.providers.test_embedded_vectors import model

async def main():
    async with model(Path({str(tmp_path / "two")!r})) as asked:
        found = [(await asked.embed(text)).vector for text in reversed({texts!r})]
    print(json.dumps(found[::-1]))

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert json.loads(out) == [list(reply.vector) for reply in together]


async def test_an_empty_and_a_too_long_text(tmp_path: Path) -> None:
    async with model(tmp_path) as asked:
        assert (await asked.embed("word " * 480)).input_tokens > 400
        for text in ("", " \n"):
            with pytest.raises(CallFailed, match="empty"):
                await asked.embed(text)
        for words in (600, 9000):
            with pytest.raises(
                CallFailed, match=r"does not fit into the model's context \(512"
            ) as caught:
                await asked.embed("word " * words)
            assert caught.value.outcome == "final"


async def test_its_server_starts_when_asked_and_none_is_left(tmp_path: Path) -> None:
    async with model(tmp_path / "before") as asked:  # libraries keep threads of their own
        await asked.complete("A", sampling={"max_tokens": 1})
    before = _servers_threads()
    async with model(tmp_path) as asked:
        await asked.complete("A", sampling={"max_tokens": 1})
        writing = _servers_threads()
        await asked.embed("A")
        assert _servers_threads() > writing > before
        assert (await asked.complete("B", sampling={"max_tokens": 1})).output_tokens
    assert _servers_threads() == before


def _servers_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir())) - threading.active_count()
