"""IFD: its cases, the published rows, and what holds of any rows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sftrecipe import CallFailed, Context, Filter, Verdict
from sftrecipe.plugin import Answer, OptionFiles, Request
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.methods.cherry.ifd import Ifd
from sftrecipe_registry.methods.cherry.ifd_texts import DIRECT, beginning

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "filter" / "ifd.yaml").read_text())
DATA = Path(__file__).parents[4] / "shared" / "data" / "ifd"
NOTHING_BEFORE = tuple(DIRECT.values())


def likelihoods(row: dict[str, Any], request: Request) -> Answer:
    """What a scorer that puts nothing before a text says of a case's row."""
    if "fails" in row:
        raise CallFailed("final", row["fails"], key="k")
    if request.prompt not in NOTHING_BEFORE:
        values = row["given"]
        return Answer("", "stop", row.get("question", 10), len(values), tuple(values))
    values = row["direct"]
    before = row.get("prefix", 3) if request.prompt else 1  # the first token has no value
    return Answer("", "stop", before, len(values), tuple(values))


class Scorer(FakeModel):
    """Keeps the token counts, which FakeModel's replies lack."""

    async def send(self, request: Request) -> Any:
        reply = await super().send(request)
        made = self._answer(request)
        assert isinstance(made, Answer)
        return reply._replace(input_tokens=made.input_tokens, output_tokens=made.output_tokens)


async def judged(plugin: Filter, rows: RowList, model: FakeModel) -> list[Verdict]:
    verdicts = plugin.judge(rows, Context("ifd", models={"": model}))
    return [verdict async for verdict in verdicts]  # type: ignore[union-attr]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
async def test_case(case: dict[str, Any]) -> None:
    plugin = Ifd.model_validate(case["with"])
    problems = [problem.message for problem in plugin.problems(None, OptionFiles({}))]
    assert problems == case.get("problems", [])
    if problems:
        return
    rows = RowList.of(*(row["columns"] for row in case["rows"]))
    by_answer = {row["columns"].get("output", "1 2"): row for row in case["rows"]}
    model = Scorer(lambda request: likelihoods(by_answer[request.answer], request))
    verdicts = await judged(plugin, rows, model)
    for verdict, row in zip(verdicts, case["rows"], strict=True):
        wanted = dict(row["verdict"])
        assert verdict.keep is wanted.pop("keep", False), verdict
        if wanted.get("value") is not None:
            assert verdict.value == pytest.approx(wanted.pop("value"), abs=1e-12)
        assert {key: getattr(verdict, key) for key in wanted} == wanted
    for prompt in case.get("asked", []):
        assert prompt in [request.prompt for request in model.requests]


async def test_kept_rows_carry_the_perplexities() -> None:
    model = Scorer(
        lambda request: likelihoods({"direct": [-1.0, -3.0], "given": [-1.0, -1.0]}, request)
    )
    (verdict,) = await judged(Ifd(), RowList.of({"instruction": "a", "output": "b"}), model)
    assert verdict.scores == pytest.approx({"ppl_direct": math.e**2, "ppl_conditioned": math.e})
    assert len(verdict.calls) == 2


VALUES = st.lists(st.floats(-30, 0), max_size=4)
SCORED = st.fixed_dictionaries(
    {"output": st.text(max_size=2), "direct": VALUES, "given": VALUES},
    optional={"fails": st.just("no"), "question": st.integers(1, 1200)},
)
CHOICES = st.one_of(
    st.fixed_dictionaries({}, optional={"rate": st.floats(0.01, 1)}),
    st.fixed_dictionaries({"number": st.integers(1, 5)}),
)


@given(
    scored=st.lists(SCORED, max_size=12, unique_by=lambda row: row["output"]),
    choice=CHOICES,
    method=st.sampled_from(["cherry", "superfiltering"]),
    strict=st.booleans(),
)
@settings(max_examples=120, deadline=None, phases=[Phase.explicit, Phase.generate])
async def test_every_row_is_kept_or_rejected_and_the_kept_are_the_highest(
    scored: list[dict[str, Any]], choice: dict[str, Any], method: str, strict: bool
) -> None:
    plugin = Ifd.model_validate({**choice, "method": method, "strict_original": strict})
    rows = RowList.of(*({"instruction": "a", "output": row["output"]} for row in scored))
    by_answer = {row["output"]: row for row in scored}

    def answer(request: Request) -> Answer:
        return likelihoods(by_answer[request.answer], request)

    verdicts = await judged(plugin, rows, Scorer(answer, delay=0))
    assert len(verdicts) == len(rows)
    assert all(verdict.keep or verdict.reason for verdict in verdicts)
    assert all(verdict.value is None or math.isfinite(verdict.value) for verdict in verdicts)
    kept = [verdict.value or 0.0 for verdict in verdicts if verdict.keep]
    left = [verdict.value or 0.0 for verdict in verdicts if verdict.reason == "not_chosen"]
    assert max(kept, default=0.0) <= 1
    assert not (kept and left) or min(kept) >= max(left)
    if "number" in choice:
        assert len(kept) == min(choice["number"], len(kept) + len(left))
    again = await judged(plugin, rows, Scorer(answer, seed=1, delay=0.0005))
    assert again == verdicts


async def test_a_ratio_beyond_all_numbers_is_too_high() -> None:
    model = Scorer(lambda request: likelihoods({"direct": [-1e-308], "given": [-9.0]}, request))
    (verdict,) = await judged(Ifd(), RowList.of({"instruction": "a", "output": "b"}), model)
    assert (verdict.keep, verdict.reason, verdict.value) == (False, "too_high", None)


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
@pytest.mark.parametrize("rate", [None, 0.05, 0.3])
async def test_published_rows_of_superfiltering(rate: float | None) -> None:
    """GPT-2's perplexities are taken from the publication: its weights are not at hand.

    The number of an answer's tokens is GPT-2's own: the NaN set follows from it, not from the
    published NaN.
    """
    tokenizers = pytest.importorskip("tokenizers")
    gpt2 = tokenizers.Tokenizer.from_file(str(DATA / "gpt2_tokenizer.json"))
    gpt2.no_padding()
    gpt2.no_truncation()
    published = json.loads((DATA / "alpaca_gpt2_ifd_2000.json").read_text("utf-8"))
    by_prompt = {_prompt(row): row for row in published}
    by_answer = {row["output"]: row for row in published}

    def answer(request: Request) -> Answer:
        tokens = len(gpt2.encode(request.answer).ids)
        row = by_prompt[request.prompt] if request.prompt else by_answer[request.answer]
        name = "ppl_A_condition" if request.prompt else "ppl_A_direct"
        loss = math.log(row[name]) if tokens > (not request.prompt) else 0.0
        values = (-loss,) * (tokens if request.prompt else tokens - 1)
        before = len(gpt2.encode(request.prompt).ids) if request.prompt else 1
        return Answer("", "stop", before, len(values), values)

    names = ("instruction", "input", "output")
    rows = RowList.of(*({name: row[name] for name in names} for row in published))
    plugin = Ifd(method="superfiltering", rate=rate)
    verdicts = await judged(plugin, rows, Scorer(answer, delay=0))
    ratios = [row["ifd_ppl"] for row in published]
    assert len(ratios) == len(verdicts) == 2000
    unscored = [at for at, verdict in enumerate(verdicts) if verdict.reason == "nan"]
    assert unscored == [at for at, ratio in enumerate(ratios) if math.isnan(ratio)]
    assert len(unscored) == 40
    for verdict, ratio in zip(verdicts, ratios, strict=True):
        assert math.isnan(ratio) or verdict.value == pytest.approx(ratio, rel=1e-12)
    below = [at for at, ratio in enumerate(ratios) if ratio < 1]
    assert len(below) == 1780
    below.sort(key=lambda at: ratios[at], reverse=True)
    wanted = sorted(below if rate is None else below[: int(rate * 2000)])
    assert [at for at, verdict in enumerate(verdicts) if verdict.keep] == wanted


def _prompt(row: dict[str, str]) -> str:
    return "\n".join(filter(None, (row["instruction"], row["input"]))) + "\n"


@pytest.mark.parametrize(
    ("answer", "most", "scored"),
    [
        ("Two words", None, "Two words"),
        ("Two words", 9, "Two words"),
        ("Two words", 8, "Two"),
        ("Two words", 3, "Two"),
        ("Two words", 4, "Two "),
        ("Two words", 2, "Tw"),
        ("v1.25 and", 4, "v1."),
        ("一共三个字", 3, "一共三"),
        ("用Python写", 4, "用"),
        ("用Python写", 7, "用Python"),
    ],
)
def test_of_an_answer_the_beginning_is_scored(answer: str, most: int | None, scored: str) -> None:
    assert beginning(answer, most) == scored


async def test_no_more_is_asked_than_is_scored() -> None:
    model = FakeModel(lambda request: Answer("", "stop", 3, 2, (-1.0, -2.0)))
    await judged(
        Ifd(answer_chars=4), RowList.of({"instruction": "q", "output": "很长的回答。"}), model
    )
    assert [request.answer for request in model.requests] == ["很长的回", "很长的回"]
    assert "answer_chars" not in Ifd().identity()
