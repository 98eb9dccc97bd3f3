"""Self-Instruct's own run, its stored replies answered to the real plugins."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Context, Record, Reject
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.self_instruct.bootstrap import SelfInstructBootstrap
from sftrecipe_registry.methods.self_instruct.classify import SelfInstructClassify
from sftrecipe_registry.methods.self_instruct.format import (
    WITH_INPUT,
    WITHOUT_INPUT,
    SelfInstructFormat,
    plain,
)
from sftrecipe_registry.methods.self_instruct.instances import SelfInstructInstances

DATA = Path(__file__).parents[4] / "shared" / "data" / "self_instruct"
pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}"),
]
BATCH = 5


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).open(encoding="utf-8")]


def seeds() -> RowList:
    tasks = lines("seed_tasks.jsonl")
    return RowList.of(*({"instruction": task["instruction"]} for task in tasks), stream="seeds")


def stored_replies() -> dict[int, Answer]:
    """The replies by the number of their prompt; one of the fifteen left no instruction."""
    replies = {}
    for row in lines("golden_run/machine_generated_instructions.jsonl"):
        choice = row["metadata"]["response"]["choices"][0]
        number = row["request_idx"] * BATCH + choice["index"]
        replies[number] = Answer(choice["text"], choice["finish_reason"])
    return replies


def made_by(items: list[Record | Reject]) -> tuple[list[Record], Counter[str]]:
    rows = [item for item in items if isinstance(item, Record)]
    return rows, Counter(item.reason for item in items if isinstance(item, Reject))


@pytest.mark.parametrize("concurrency", [1, 16])
async def test_67_of_67_instructions_in_order(concurrency: int) -> None:
    replies = stored_replies()
    assert len(replies) == 14
    model = FakeModel(
        lambda request: replies.get(
            next(at for at, each in enumerate(model.requests) if each is request), Answer("")
        ),
        seed=concurrency,
    )
    plugin = SelfInstructBootstrap(ask="complete", strict_original=True, count=60)
    ctx = Context("tasks", models={"": model}, concurrency=concurrency, files=own_files(plugin))
    rows, reasons = made_by([item async for item in plugin.generate(seeds(), ctx)])
    published = lines("golden_run/machine_generated_instructions.jsonl")
    assert [row.text("instruction") for row in rows] == [row["instruction"] for row in published]
    largest = [max(row["most_similar"].values()) for row in published]
    assert [row.scores["rouge"] for row in rows] == pytest.approx(largest, abs=1e-9)
    assert reasons == {"write_a_program": 13, "blacklisted": 3, "too_similar": 2, "empty": 1}
    assert ctx.counts == {"rounds": 3, "ended_at_count": 1}
    assert len(model.requests) == 3 * BATCH


async def test_classification_answers() -> None:
    answers = {
        row["instruction"]: row["is_classification"]
        for row in lines("golden_run/is_clf_or_not_davinci_template_1.jsonl")
    }

    def answer(request: Request) -> str:
        task = request.prompt.rpartition("Task: ")[2].removesuffix("\nIs it classification?")
        return str(answers[task])

    for strict in (True, False):
        plugin = SelfInstructClassify(ask="complete", strict_original=strict)
        rows = RowList.of(*({"instruction": text} for text in answers))
        ctx = Context("typed", models={"": FakeModel(answer)}, files=own_files(plugin))
        made, reasons = made_by([item async for item in plugin.generate(rows, ctx)])
        assert sum(row.columns["is_classification"] for row in made) == 8
        assert len(made) == 67
        assert not reasons
        assert not ctx.counts


@pytest.mark.parametrize("strict", [True, False])
async def test_78_of_78_instances(strict: bool) -> None:
    published = lines("golden_run/machine_generated_instances.jsonl")
    choices = {
        row["instruction"]: row["instance_metadata"]["response"]["choices"][0] for row in published
    }
    labelled = {
        row["instruction"]: row["is_classification"].strip() == "Yes"
        for row in lines("golden_run/is_clf_or_not_davinci_template_1.jsonl")
    }

    def answer(request: Request) -> Answer:
        choice = choices[request.prompt.rpartition("Task: ")[2].strip()]
        return Answer(choice["text"], choice["finish_reason"])

    plugin = SelfInstructInstances(ask="complete", strict_original=strict)
    rows = RowList.of(
        *({"instruction": text, "is_classification": labelled[text]} for text in choices)
    )
    ctx = Context("examples", models={"": FakeModel(answer)}, files=own_files(plugin))
    made, reasons = made_by([item async for item in plugin.generate(rows, ctx)])
    wanted = lines("golden_run/all_generated_instances.jsonl")
    names = ("instruction", "input", "output")
    assert Counter(tuple(row.text(name) for name in names) for row in made) == Counter(
        tuple(row[name] for name in names) for row in wanted
    )
    assert len(made) == 78
    assert reasons == {
        "cut_off": 9, "second_output": 3, "contradicting": 2,
        "empty_output": 1, "input_is_output": 1,
    }  # fmt: skip


async def test_every_published_prompt_is_one_of_the_layouts() -> None:
    instances = [
        *lines("golden_run/all_generated_instances.jsonl"),
        *(
            {"instruction": task["instruction"], **instance}
            for task in lines("seed_tasks.jsonl")
            for instance in task["instances"]
        ),
    ]
    possible = set()
    for row in instances:
        for asked in (row["input"].strip(), plain(row["input"])):
            for layout in WITH_INPUT if asked else WITHOUT_INPUT:
                prompt = layout.format(instruction=row["instruction"].strip(), input=asked)
                possible.add((prompt, row["output"].strip()))
    published = lines("golden_run/gpt3_finetuning_data_253.jsonl")
    for row in published:
        completion = row["completion"].removesuffix("<|endoftext|>").strip()
        assert (row["prompt"], completion) in possible
    plugin, ctx = SelfInstructFormat(), Context("laid_out", seed=123)
    made, reasons = made_by([item async for item in plugin.generate(RowList.of(*instances), ctx)])
    assert {(row.text("instruction"), row.text("output")) for row in made} <= possible
    assert len(made) == len(published) == 253
    assert not reasons
