"""Against published results: self-instruct's own run, its seeds, rouge-chinese's numbers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.registry.filters.judging import judged

from sftrecipe import Context
from sftrecipe.plugin import OptionFiles
from sftrecipe.testing import RowList
from sftrecipe_registry.filters.blacklist.filter import Blacklist
from sftrecipe_registry.filters.repeats.decontaminate import Decontaminate
from sftrecipe_registry.filters.rouge_novelty import RougeNovelty
from sftrecipe_registry.methods.self_instruct.numbered_list import parse_numbered
from sftrecipe_registry.shared.text.rouge import rouge_l
from sftrecipe_registry.shared.text.tokenizers import tokenizer

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}"),
]


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "self_instruct" / name).open(encoding="utf-8")]


def _published() -> list[dict[str, Any]]:
    return _lines("golden_run/machine_generated_instructions.jsonl")


def _replies() -> list[dict[str, Any]]:
    """The run's raw replies, once each, in order."""
    replies = {}
    for row in _published():
        choice = row["metadata"]["response"]["choices"][0]
        replies[row["request_idx"], row["metadata"]["prompt"], choice["text"]] = choice
    return list(replies.values())


def _rows(stream: str, instructions: list[str]) -> RowList:
    return RowList.of(*({"instruction": text} for text in instructions), stream=stream)


def _replayed() -> tuple[Counter[str], list[tuple[str, float]]]:
    """Reasons of the rejects, and the kept instructions with their largest similarity."""
    items = [
        item
        for reply in _replies()
        for item in parse_numbered(
            reply["text"], finish_reason=reply["finish_reason"], cut="reply", capitalise=True
        ).items
    ]
    context = Context("ask")
    rows = _rows("ask", items)
    reasons: Counter[str] = Counter()
    sensible = RowList()
    for row, verdict in zip(
        rows, Blacklist(preset="self_instruct").judge(rows, context), strict=True
    ):
        reasons[verdict.reason] += 1
        if verdict.keep:
            sensible.append(row)
    seeds = [seed["instruction"] for seed in _lines("seed_tasks.jsonl")]
    context.streams = {"seeds": _rows("seeds", seeds)}
    novelty = RougeNovelty(max=0.7, slots=False, tokenizer="rouge_en", against=("seeds",))
    kept = []
    for row, verdict in zip(sensible, novelty.judge(sensible, context), strict=True):
        if verdict.keep:
            kept.append((row.text("instruction"), verdict.value or 0.0))
        reasons[verdict.reason] += 1
    return reasons, kept


def test_self_instruct_run_is_replayed() -> None:
    reasons, kept = _replayed()
    published = _published()
    assert len(_replies()) == 14
    assert len(kept) == 67
    assert [text for text, _ in kept] == [row["instruction"] for row in published]
    largest = [max(row["most_similar"].values()) for row in published]
    assert [value for _, value in kept] == pytest.approx(largest, abs=1e-9)
    del reasons[""]
    assert reasons == {"write_a_program": 13, "blacklisted": 3, "too_similar": 2}


def test_self_instruct_averages() -> None:
    split = tokenizer("rouge_en", "en")
    accepted = [split(seed["instruction"]) for seed in _lines("seed_tasks.jsonl")]
    for row in _published():
        tokens = split(row["instruction"])
        values = [rouge_l(tokens, other).f1 for other in accepted]
        assert sum(values) / len(values) == pytest.approx(row["avg_similarity_score"], abs=1e-9)
        best = sorted(values, reverse=True)[:10]
        assert best == pytest.approx(list(row["most_similar"].values()), abs=1e-9)
        accepted.append(tokens)


def test_seeds_through_alpacas_heuristics() -> None:
    rows = _rows("seeds", [seed["instruction"] for seed in _lines("seed_tasks.jsonl")])
    verdicts = list(Blacklist(preset="alpaca").judge(rows, Context("x")))
    reasons = Counter(verdict.reason for verdict in verdicts)
    lengths = reasons.pop("too_short", 0) + reasons.pop("too_long", 0)
    assert (reasons, lengths) == ({"": 171, "write_a_program": 1, "blacklisted": 1}, 2)


def test_seeds_among_themselves() -> None:
    rows = _rows("seeds", [seed["instruction"] for seed in _lines("seed_tasks.jsonl")])
    verdicts = list(RougeNovelty(max=0.7, slots=False).judge(rows, Context("x")))
    assert sum(not verdict.keep for verdict in verdicts) == 2


def test_seeds_and_user_oriented_tasks() -> None:
    seeds = _rows("seeds", [seed["instruction"] for seed in _lines("seed_tasks.jsonl")])
    tasks = [task["instruction"] for task in _lines("user_oriented_instructions.jsonl")]
    context = Context("x", streams={"seeds": seeds})
    filter_ = RougeNovelty(max=1.0, slots=False, against=("seeds",))
    values = [
        next(iter(filter_.judge(_rows("tasks", [task]), context))).value or 0.0 for task in tasks
    ]
    assert len(values) == 252
    assert sum(values) / len(values) == pytest.approx(0.3388, abs=5e-5)
    assert len(set(tasks) & {seed.text("instruction") for seed in seeds}) == 1


def _tasks(name: str, stream: str) -> RowList:
    tasks = _lines(name)
    return RowList.of(
        *({"instruction": task["instruction"], **task["instances"][0]} for task in tasks),
        stream=stream,
    )


def test_decontamination_finds_the_one_identical_instruction() -> None:
    seeds = _tasks("seed_tasks.jsonl", "seeds")
    users = _tasks("user_oriented_instructions.jsonl", "users")
    context = Context("x", streams={"users": users})
    plugin = Decontaminate(field="instruction", against=("users",), columns=("instruction",))
    found = [verdict for verdict in judged(plugin, seeds, context) if not verdict.keep]
    assert len(found) == 1
    assert found[0].value == 1.0
    assert found[0].detail.endswith(": Answer the following question")


@pytest.mark.parametrize("name", ["sinstruct", "vicuna", "wizardlm"])
def test_every_evaluation_prompt_is_found(name: str) -> None:
    file = str(DATA / "eval_prompts" / f"{name}_test_set.jsonl")
    items = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
    prompts = [_prompt(item) for item in items]
    long = [prompt for prompt in prompts if len(tokenizer("char", "en")(prompt)) >= 8]
    rows = _rows("x", [f"Well, {prompt} Be short." for prompt in long])
    context = Context("x", files=OptionFiles({file: file}))
    verdicts = judged(Decontaminate(benchmarks=(file,)), rows, context)
    assert len(long) > len(prompts) // 2
    assert not any(verdict.keep for verdict in verdicts)
    assert all(verdict.detail.startswith(file) for verdict in verdicts)
    patients = json.loads((DATA / "chatdoctor" / "chatdoctor_3000.json").read_text("utf-8"))
    verdicts = judged(Decontaminate(benchmarks=(file,)), RowList.of(*patients), context)
    assert all(verdict.keep for verdict in verdicts)


def _prompt(item: dict[str, Any]) -> str:
    """What is asked: of Self-Instruct's tasks the instruction with its first input."""
    asked = str(next(item[name] for name in ("text", "instruction", "Instruction") if name in item))
    instances = item.get("instances")
    return f"{asked}\n{instances[0]['input']}".strip() if instances else asked


def test_chinese_rouge() -> None:
    golden = json.loads((DATA / "augcon" / "rouge_zh_golden.json").read_text("utf-8"))
    pytest.importorskip("jieba")
    split = tokenizer("jieba", "zh")
    tokens = [split(text) for text in golden["texts"]]
    assert tokens == golden["tokens"]
    assert len(golden["rows"]) == 462
    for hypothesis, reference, precision, recall, f1 in golden["rows"]:
        found = rouge_l(tokens[reference], tokens[hypothesis], epsilon=1e-8)
        assert found == pytest.approx((precision, recall, f1), abs=1e-11)
