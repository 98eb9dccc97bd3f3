"""Magpie: what is sent, what becomes of any reply, draws of system prompts."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import Context, Record
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.magpie.generator import Magpie

HEADINGS = {"2": -100.0, "567": -100.0}


async def made(plugin: Magpie, model: FakeModel, **more: object) -> tuple[list[str], list[str]]:
    ctx = Context("asked", models={"": model}, files=own_files(plugin), **more)  # type: ignore[arg-type]
    items = [item async for item in plugin.generate(RowList(), ctx)]
    rows = [item.text("instruction") for item in items if isinstance(item, Record)]
    return rows, [item.reason for item in items if not isinstance(item, Record)]


async def test_what_is_sent() -> None:
    model = FakeModel(lambda request: "Why?")
    await made(Magpie(family="llama3", stop_ids=True, add_special_tokens=False), model)
    (request,) = model.requests
    assert request.kind == "complete"
    assert request.sampling == {
        "temperature": 1.0,
        "top_p": 1.0,
        "max_tokens": 2048,
        "stop": ["<|eot_id|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>",
                 "assistant", "\n"],
        "stop_token_ids": [128009, 128001, 128006, 128007],
        "add_special_tokens": False,
    }  # fmt: skip


async def test_only_the_first_token_is_biased() -> None:
    def answer(request: Request) -> Answer:
        return Answer("Why", "length") if request.sampling["max_tokens"] == 1 else Answer(" so?")

    model = FakeModel(answer)
    plugin = Magpie(family="llama3", first_token_temperature=1.2, first_token_bias=HEADINGS)
    assert await made(plugin, model) == (["Why so?"], [])
    first, rest = model.requests
    assert first.sampling["logit_bias"] == HEADINGS
    assert first.sampling["temperature"] == 1.2
    assert "logit_bias" not in rest.sampling
    assert rest.sampling["temperature"] == 1.0
    assert rest.prompt == first.prompt + "Why"


async def test_order_and_draws_do_not_depend_on_the_replies_order() -> None:
    plugin = Magpie.model_validate(
        {
            "family": "qwen2",
            "samples": 60,
            "system": (
                {"prompt": "builtin:magpie/math", "weight": 3.0},
                {"prompt": "You help with {{ 1 + 1 }}."},
            ),
        }
    )

    def answer(request: Request) -> str:
        return f"{request.sample}: {'math' in request.prompt} {'with 2' in request.prompt}"

    runs = [await made(plugin, FakeModel(answer, seed=seed), concurrency=8) for seed in (1, 2)]
    assert runs[0] == runs[1]
    drawn = Counter(text.split(": ")[1] for text in runs[0][0])
    assert drawn["True False"] + drawn["False True"] == 60
    assert 35 <= drawn["True False"] <= 55


async def test_the_drawn_system_prompt_is_a_tag() -> None:
    plugin = Magpie.model_validate(
        {"family": "qwen2", "system": ({"prompt": "builtin:magpie/code"},), "sanitise": "llama3"}
    )
    ctx = Context("asked", models={"": FakeModel(lambda _: "Why?")}, files=own_files(plugin))
    (row,) = [item async for item in plugin.generate(RowList(), ctx)]
    assert isinstance(row, Record)
    assert row.tags == {"system": "code", "sanitised": "99.1"}


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=40), st.sampled_from(["stop", "length"])), min_size=1),
    st.booleans(),
)
async def test_any_reply_becomes_a_row_or_a_reject(
    said: list[tuple[str, str]], sanitise: bool
) -> None:
    plugin = Magpie(family="llama3", samples=len(said), sanitise="llama3" if sanitise else None)
    model = FakeModel(lambda request: Answer(*said[request.sample]), delay=0)
    rows, rejects = await made(plugin, model)
    assert len(rows) + len(rejects) == len(said)
    assert all(text == text.strip() != "" for text in rows)
    assert len(set(rows)) == len(rows)
