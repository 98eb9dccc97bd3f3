"""Gates hold intervals, biased judges pass none, and a missed gate says what to change."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.registry.judges.scripted import context_of
from tests.support.judging_server import Judging, answer, judging_server, shown
from tests.support.plain_runs import Plain

from sftrecipe.plan.steps import Step
from sftrecipe.plugin import Request
from sftrecipe.plugin.judge import Judge
from sftrecipe.recipe.recipe import Block, Gate
from sftrecipe.run.gate_results import GateResult, gate_results, limit_results
from sftrecipe.run.missed_gates import missed_gates, rows_needed
from sftrecipe.store.step_facts import JudgementFacts, StepFacts
from sftrecipe.testing import FakeModel, RowList
from sftrecipe_registry.judges.pairwise import Pairwise
from sftrecipe_registry.judges.rubric import Rubric

HALF = random.Random(3)
AT_LEAST_ONE = {"winning_score": Gate(at_least=1)}


def by_length(question: str, first: str, second: str) -> str:
    return f"{len(first) % 90 // 9 + 1} {len(second) % 90 // 9 + 1}"


JUDGES: dict[str, Judging] = {
    "first": lambda question, first, second: "8 5",
    "second": lambda question, first, second: "5 8\nThe second.",
    "always tie": lambda question, first, second: "7 7",
    "longer": by_length,
    "random": lambda question, first, second: f"{HALF.randint(1, 10)} {HALF.randint(1, 10)}",
    "half unreadable": lambda question, first, second: (
        "Both." if question.strip()[-2] in "13579" else by_length(question, first, second)
    ),
}


async def judged(plugin: Judge, judging: Judging, rows: int) -> StepFacts:
    """What a judge finds with the models of the judging server."""
    models = {
        name: FakeModel(lambda request, name=name: answer(name, request.messages[-1]["content"]))  # type: ignore[misc]
        for name in ("one", "two")
    }

    def judge(request: Request) -> str:
        return judging(*shown(request.messages[-1]["content"]))

    asked = RowList.of(*({"instruction": f"What is {n}?"} for n in range(rows)))
    context = context_of(plugin, models | {"": FakeModel(judge)}, concurrency=1)
    found = await plugin.evaluate(asked, context)
    return StepFacts(made=rows, kept=rows, judgement=JudgementFacts(found.metrics, found.notes))


def block(plugin: Judge, gates: dict[str, Gate]) -> Block:
    return Block(section="evaluate", id="j", use="judge", plugin=plugin, gates=gates)


def told(results: list[GateResult]) -> dict[str, bool]:
    return {each.metric: each.passed for each in results}


@pytest.mark.parametrize(
    ("kind", "rows", "passed"),
    [
        ("first", 30, {"winning_score": False, "position_bias": False, "invalid_share": True}),
        ("first", 5, {"winning_score": False, "position_bias": False, "invalid_share": True}),
        ("first", 2, {"winning_score": False, "position_bias": True, "invalid_share": True}),
        ("second", 30, {"winning_score": False, "position_bias": False, "invalid_share": True}),
        ("always tie", 30, {"winning_score": False, "position_bias": True, "invalid_share": True}),
        ("longer", 30, {"winning_score": True, "position_bias": True, "invalid_share": True}),
        ("random", 100, {"winning_score": False, "position_bias": False, "invalid_share": True}),
        (
            "half unreadable",
            30,
            {"winning_score": True, "position_bias": True, "invalid_share": False},
        ),
    ],
)
async def test_what_judges_with_a_bias_pass(kind: str, rows: int, passed: dict[str, bool]) -> None:
    plugin = Pairwise(compare=("one", "two"))
    facts = await judged(plugin, JUDGES[kind], rows)
    assert told(gate_results(block(plugin, AT_LEAST_ONE), facts)) == passed


async def test_limits_are_set_by_gates_and_held_without_one() -> None:
    plugin = Pairwise(compare=("one", "two"))
    facts = await judged(plugin, JUDGES["first"], 30)
    assert gate_results(block(plugin, {}), facts) == []
    assert told(limit_results(block(plugin, {}), facts))["position_bias"] is False
    allowed = {"position_bias": Gate(at_most=1)}
    assert told(gate_results(block(plugin, allowed), facts))["position_bias"] is True
    strict = {"invalid_share": Gate(at_most=0.05, by="point"), "rows": Gate(at_least=31)}
    results = gate_results(block(plugin, strict), facts)
    assert told(results) == {"invalid_share": True, "rows": False, "position_bias": False}
    assert [each.by for each in results] == ["point", "point", "limit"]


async def test_one_order_leaves_position_bias_unmeasured() -> None:
    plugin = Pairwise(compare=("one", "two"), swap=False)
    facts = await judged(plugin, JUDGES["longer"], 20)
    unmeasured = limit_results(block(plugin, {}), facts)[0]
    assert (unmeasured.metric, unmeasured.value, unmeasured.passed) == ("position_bias", None, True)
    assert "position_bias" not in told(gate_results(block(plugin, AT_LEAST_ONE), facts))


async def test_rubric_judges_that_cannot_be_read_pass_no_gate() -> None:
    plugin = Rubric(models=("one", "two"))
    said = iter(["Score: 4", "no idea"] * 40)
    facts = await judged(plugin, lambda *_: next(said), 20)
    results = gate_results(block(plugin, {"one_score": Gate(at_least=1, by="point")}), facts)
    assert told(results) == {"one_score": True, "invalid_share": False}


def test_an_interval_holds_with_its_worse_end() -> None:
    metrics = {"x": 0.6, "x_low": 0.5, "x_high": 0.7, "n": 5.0}
    facts = StepFacts(made=40, kept=40, judgement=JudgementFacts(metrics, {}))
    plugin = Pairwise(compare=("one", "two"))

    def passes(metric: str, **gate: Any) -> bool:
        return gate_results(block(plugin, {metric: Gate(**gate)}), facts)[0].passed

    assert passes("x", at_least=0.5)
    assert not passes("x", at_least=0.51)
    assert passes("x", at_least=0.6, by="point")
    assert not passes("x", at_most=0.65)
    assert passes("x", at_least=0.5, at_most=0.7)
    assert passes("n", at_least=5)
    assert passes("rows", at_least=40)
    assert not passes("rows", at_least=41)
    assert not passes("unknown", at_least=0)


def test_how_many_rows_would_do() -> None:
    def needed(value: float, at_least: float | None = None, at_most: float | None = None) -> Any:
        ends = value - 0.2, value + 0.2
        return rows_needed(GateResult("x", value, at_least, at_most, False, *ends, "interval", 30))

    assert needed(1.1, 1.0) == pytest.approx(120)
    assert needed(0.9, at_most=1.0) == pytest.approx(120)
    assert needed(1.0, 1.0) == float("inf")
    assert needed(0.9, 1.0) is None


@pytest.mark.parametrize("most", [1e200, 8e307, math.inf])
def test_an_end_beyond_all_numbers_is_told(most: float) -> None:
    """Of three rows, a perplexity's upper end may be the exponential of hundreds."""
    metrics = {"one_perplexity": 54.6, "one_perplexity_low": 1.0, "one_perplexity_high": most}
    facts = StepFacts(made=3, kept=3, judgement=JudgementFacts(metrics, {}))
    of_loss = block(Pairwise(compare=("one", "two")), {"one_perplexity": Gate(at_most=60)})
    step = cast("Step", SimpleNamespace(id="j", block=of_loss))
    missed = missed_gates([(step, facts)])
    assert missed is not None
    assert "one_perplexity is 54.6" in str(missed)


def test_what_earlier_versions_wrote_of_gates_is_read() -> None:
    old = {"metric": "x", "value": 1, "at_least": 1, "at_most": None, "passed": True}
    assert GateResult.from_json(old) == GateResult("x", 1, 1, None, True)


# through the command


def project(folder: Path, url: str, **judge: Any) -> Plain:
    plain = Plain(folder)
    (folder / "rows.jsonl").write_text(
        "".join(json.dumps({"instruction": f"What is {n}?"}) + "\n" for n in range(20))
    )
    server = {"use": "openai", "base_url": url, "api_key": ""}
    providers = {name: server | {"model": name} for name in ("judge", "one", "two")}
    compared = {"use": "pairwise", "on": "rows", "provider": "judge"}
    evaluate = [compared | {"id": "j", "with": {"compare": ["one", "two"]}} | judge]
    plain.recipe(providers=providers, evaluate=evaluate)
    return plain


def test_a_judge_that_prefers_a_place_fails_the_run_and_says_so(tmp_path: Path) -> None:
    gate = {"winning_score": {"at_least": 1}, "rows": {"at_least": 10}}
    with judging_server(JUDGES["first"]) as url:
        plain = project(tmp_path, url, gate=gate)
        error = plain.run(status=1)
        assert "j: position_bias is 1 (" in error
        assert "surely above 0.3: the order in which the answers were shown decided" in error
        assert "another judge or another prompt" in error
        assert "same command goes on" not in error
        page = (plain.out / "report.html").read_text()
        assert "surely above 0.3" in page
        assert "would fail here again" in page
        step = json.loads((plain.out / "run.json").read_text())["steps"][-1]
        assert told([GateResult.from_json(each) for each in step["gates"]]) == {
            "winning_score": False,
            "rows": True,
            "position_bias": False,
            "invalid_share": True,
        }
        project_again = json.loads((plain.folder / "recipe.yaml").read_text())
        del project_again["evaluate"][0]["gate"]
        (plain.folder / "recipe.yaml").write_text(json.dumps(project_again))
        process = plain.start("run", "recipe.yaml", SFTRECIPE_LANG="zh")
        out, error = process.communicate(timeout=240)
    assert process.returncode == 0, error
    assert "警告：position_bias 为 1（" in out
