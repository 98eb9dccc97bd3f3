"""Trainings and judgings as the page, the run's last lines, the plan and `explain` tell them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.engine.report.judged import Judged
from tests.engine.report.test_page import page
from tests.support.estimates import within
from tests.support.standin import stand_in

from sftrecipe.report.pages.run.drawings.curves import Curve, curve_chart
from sftrecipe.report.pages.run.drawings.intervals import Bar, interval_chart
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.plan_graph import plan_graph
from sftrecipe.report.pages.run.facts.run_facts import run_facts
from sftrecipe.report.pages.run.facts.secret_values import Scrub
from sftrecipe.report.pages.run.run_page import write_report
from sftrecipe.report.text.text_format import Figure, few_rows, figures, main_figures
from sftrecipe.run.run_record import RunRecord
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.project import project_of


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[str, str]]:
    """Two models that answer differently."""
    with stand_in() as one, stand_in("--words", 8) as other:
        yield one.url, other.url


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, servers: tuple[str, str]) -> Judged:
    """A run that trained and judged."""
    project = Judged(tmp_path_factory.mktemp("judged"), *servers)
    run = project.command("run", "recipe.yaml")
    assert run.returncode == 0, run.stderr
    project.told = run.stdout
    return project


@pytest.fixture
def copied(done: Judged, tmp_path: Path) -> Judged:
    """The same project, to be changed."""
    shutil.copytree(done.folder, tmp_path / "copied", copy_function=shutil.copy2)
    return done.at(tmp_path / "copied")


def step(run: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in run["steps"] if each["id"] == name)
    return found


# the page


def test_the_page_tells_what_was_trained(done: Judged) -> None:
    text = page(done.out).text
    [told] = run_facts(done.out, project_of(done.folder / "recipe.yaml")).trainings
    notes = step(done.facts(), "train")["notes"]
    assert told.losses == [tuple(point) for point in notes["losses"]]
    assert told.held_out_losses == [tuple(point) for point in notes["held_out_losses"]]
    assert [(each.name, each.rows, each.role) for each in told.data_sets] == [
        ("judged", 28, "train"),
        ("judged_holdout", 12, "holdout"),
    ]
    assert ("template", "smollm2") in told.settings
    for shown in ("Training", "finetuning_type", notes["model"], "train_loss", "eval_loss"):
        assert shown in text


def test_the_page_tells_what_the_judges_found(done: Judged) -> None:
    parts = page(done.out)
    pairwise, reference = run_facts(done.out, project_of(done.folder / "recipe.yaml")).judgings
    notes = step(done.facts(), "evaluate-pairwise")["notes"]
    metrics = notes["metrics"]
    chart, *others = pairwise.charts
    assert {each.title for each in others} <= {"position_bias", "invalid_share"}
    assert all(each.marks == {f"{each.title} ≤ 1": 1.0} for each in others)
    ends = metrics["winning_score_low"], metrics["winning_score_high"]
    assert chart.bars == [Figure("winning_score", metrics["winning_score"], *ends)]
    assert chart.marks == {"winning_score ≥ 0": 0.0}
    assert pairwise.counts["verdicts"] == notes["verdicts"]
    assert pairwise.counts["orders"] == notes["orders"]
    assert {chart.title for chart in reference.charts} >= {"rouge_l", "tuned − base"}
    for chart in reference.charts:
        if chart.title == "rouge_l":
            assert [bar.name for bar in chart.bars] == ["tuned", "base"]
    assert "gate passed" in parts.text
    assert f"{pairwise.few} rows with a verdict are few" in parts.text
    assert pairwise.few == 12 - metrics["invalid"]
    assert {"verdicts", "orders", "winning_score", "rouge_l"} <= set(parts.labels)


def test_the_page_shows_the_highest_and_the_lowest_rows(done: Judged) -> None:
    pairwise, _ = run_facts(done.out, project_of(done.folder / "recipe.yaml")).judgings
    found = pairwise.judged
    assert found.score == "winning_score"
    high, low = (
        [row.scores["winning_score"] for row in each] for each in (found.highest, found.lowest)
    )
    assert high == sorted(high, reverse=True)
    assert low == sorted(low)
    assert high[-1] >= low[-1]
    assert high[0] > low[0]
    row = found.highest[0]
    names = [name for name, _ in row.columns]
    assert names[:4] == ["user", "assistant", "answer_tuned", "answer_base"]
    assert {call.provider for call in row.calls} == {"openai"}
    assert row.parents[0].stream == "rows"


def test_judged_rows_do_not_count_as_rows_of_the_data(done: Judged) -> None:
    facts = run_facts(done.out, project_of(done.folder / "recipe.yaml"))
    assert [each.id for each in facts.funnel] == ["rows", "export-llamafactory"]
    assert facts.head.rows == 40


def test_rows_that_could_not_be_judged_are_shown(tmp_path: Path, servers: tuple[str, str]) -> None:
    project = Judged(tmp_path, *servers)
    rows = [{"instruction": f"Q {n}? [[refused]]" if n % 2 else f"Q {n}?"} for n in range(40)]
    lines = [json.dumps({**row, "output": "x"}) + "\n" for row in rows]
    (tmp_path / "rows.jsonl").write_text("".join(lines))
    assert project.command("run", "recipe.yaml").returncode == 0
    pairwise, _ = run_facts(project.out, project_of(tmp_path / "recipe.yaml")).judgings
    assert pairwise.counts["invalid"] == {"refused": pairwise.counts["verdicts"]["invalid"]}
    assert all(row.tags["invalid"] == "refused" for row in pairwise.judged.without)
    assert pairwise.judged.without
    assert "could not be judged" in page(project.out).text


def test_a_judge_of_somebody_else_is_drawn(copied: Judged) -> None:
    """Other names, no models, no scores: all that it says is on the page."""
    run = copied.facts()
    theirs = step(run, "evaluate-pairwise")
    theirs["use"] = "theirs"
    theirs["calls"] = {"alpha": {}, "beta": {}}
    theirs["gates"] = []
    theirs["notes"] = {
        "metrics": {
            "speed": 3.0, "grace": 0.5, "grace_low": 0.4, "grace_high": 0.6,
            "alpha_wit": -1.0, "alpha_wit_low": -1.5, "alpha_wit_high": 2.0,
            "beta_wit": 0.1, "beta_wit_low": 0.1, "beta_wit_high": 0.1,
        },
        "kinds": {"good <b>": 3, "bad": 1}, "words": {"a": "b"}, "empty": {},
        "deep": {"a": {"b": 1}},
    }  # fmt: skip
    (copied.out / "run.json").write_text(json.dumps(run))
    project = project_of(copied.folder / "recipe.yaml")
    told = write_report(copied.out, project, "zh").judgings[0]
    assert [(chart.title, len(chart.bars)) for chart in told.charts] == [("grace", 1), ("wit", 2)]
    assert told.numbers == [Figure("speed", 3.0)]
    assert told.counts == {"kinds": {"good <b>": 3, "bad": 1}}
    assert told.judged.score == ""
    assert len(told.judged.without) == 3
    assert "good <b>" in page(copied.out).text


def test_a_page_without_the_judged_rows_says_what_is_left(copied: Judged) -> None:
    key = step(copied.facts(), "evaluate-pairwise")["key"]
    shutil.rmtree(copied.folder / ".sftrecipe" / "steps" / key[:2] / key)
    told = write_report(copied.out, project_of(copied.folder / "recipe.yaml"))
    assert told.head.gone == ["evaluate-pairwise"]
    assert told.judgings[0].charts
    assert told.judgings[0].judged.highest == []


def test_the_graph_leads_from_the_export_to_model_and_judges(tmp_path: Path) -> None:
    def made(name: str, section: str, reads: list[str], after: list[str], **notes: Any) -> Any:
        return {
            "id": name, "section": section, "use": "x", "reads": reads, "after": after,
            "made": 3, "kept": 3, "notes": notes,
        }  # fmt: skip

    steps = [
        made("rows", "sources", [], []),
        made("out", "export", ["rows"], [], data_sets=[{"role": "holdout"}]),
        made("pt", "train", [], ["out"]),
        made("sft", "train", [], ["out", "pt"]),
        made("judge", "evaluate", ["holdout"], ["sft"]),
    ]
    run = RunRecord.from_json({"steps": steps})
    opened = OpenedRun(tmp_path, run, StepStore(tmp_path), tmp_path, Scrub({}))
    found = plan_graph(opened)
    assert [(flow.source, flow.target) for flow in found.flows] == [
        ("rows", "out"),
        ("out", "pt"),
        ("out", "sft"),
        ("pt", "sft"),
        ("out", "judge"),
        ("sft", "judge"),
    ]
    assert [card.made for card in found.cards] == [3, 3, None, None, 3]


# the last lines, and the plan


def test_the_outcome_names_models_figures_and_gates(done: Judged) -> None:
    again = done.command("run", "recipe.yaml", "--json")
    told = json.loads(again.stdout)
    run = done.facts()
    [trained] = told["trained"]
    assert trained["model"] == str(done.out / "model" / "merged")
    assert trained["metrics"] == step(run, "train")["notes"]["metrics"]
    pairwise = told["judged"][0]
    assert pairwise["metrics"] == step(run, "evaluate-pairwise")["notes"]["metrics"]
    assert [(gate["by"], gate["passed"]) for gate in pairwise["gates"]] == [
        ("interval", True),
        ("limit", True),
        ("limit", True),
    ]
    assert [limit["metric"] for limit in pairwise["limits"]] == ["position_bias", "invalid_share"]
    lines = done.told.splitlines()
    assert f"train: train_loss 0.5, eval_loss 0.25  {done.out / 'model' / 'merged'}" in lines
    assert any(line.startswith("evaluate-pairwise: winning_score ") for line in lines)
    assert any(line.startswith("  gate passed: winning_score is ") for line in lines)
    valid = 12 - int(pairwise["metrics"]["invalid"])
    assert (
        f"  {valid} rows with a verdict are few: the figures may be anywhere in their intervals"
        in lines
    )


def test_enough_rows_with_a_verdict_are_not_told() -> None:
    assert few_rows(40, {"invalid": 10.0}) is None
    assert few_rows(40, {"invalid": 11.0}) == 29
    assert few_rows(1, {}) == 1
    assert few_rows(0, {}) is None  # a judge that returns no rows


def test_a_missed_gate_stands_on_the_page(tmp_path: Path, servers: tuple[str, str]) -> None:
    project = Judged(tmp_path, *servers, gate=1.99)
    run = project.command("run", "recipe.yaml")
    assert run.returncode == 1
    text = page(project.out).text
    assert "gate missed" in text
    assert "Not reached" not in text


def estimates(project: Judged) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Estimate and facts of the run's steps by id."""
    found = project.facts()["estimate"]
    return {each["id"]: (each["estimate"], list(each["fact"].values())) for each in found}


def test_judges_keep_within_their_estimate(done: Judged) -> None:
    """A holdout of twelve rows is known before the export; what the ledger answers is not asked."""
    found = estimates(done)
    assert found["evaluate-pairwise"][0]["rows"] == [12, 12]
    for estimate, facts in found.values():
        assert within(sum(each["asked"] + each["cached"] for each in facts), estimate["calls"])
        assert within(sum(each["asked"] for each in facts), estimate["asked"])
        tokens = sum(each["input_tokens"] + each["output_tokens"] for each in facts)
        assert within(tokens, estimate["tokens"])


def test_what_a_judge_will_ask_of_known_rows_is_told_by_model(copied: Judged) -> None:
    recipe = yaml.safe_load((copied.folder / "recipe.yaml").read_text())
    recipe["evaluate"][0]["with"]["answers"] = {"temperature": 0.5}
    (copied.folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    told = json.loads(copied.command("plan", "recipe.yaml", "--json").stdout)
    pairwise = next(each for each in told["steps"] if each["id"] == "evaluate-pairwise")
    assert pairwise["rows"] == [12, 12]
    asked = {each["provider"]: each["calls"] for each in pairwise["asks"]}
    assert asked == {"tuned": [12, 12], "base": [12, 12], "referee": [0, 24]}
    assert copied.command("run", "recipe.yaml").returncode == 0
    estimate, facts = estimates(copied)["evaluate-pairwise"]
    assert within(sum(each["asked"] for each in facts), estimate["asked"])


def test_a_judge_that_the_ledger_answers_asks_nothing(copied: Judged) -> None:
    """The judge's step is gone, its replies are not."""
    key = step(copied.facts(), "evaluate-pairwise")["key"]
    shutil.rmtree(copied.folder / ".sftrecipe" / "steps" / key[:2] / key)
    told = json.loads(copied.command("plan", "recipe.yaml", "--json").stdout)
    pairwise = next(each for each in told["steps"] if each["id"] == "evaluate-pairwise")
    assert (pairwise["calls"], pairwise["held"], pairwise["asked"]) == ([48, 48], 48, [0, 0])


def test_a_model_that_was_deleted_is_trained_again(copied: Judged) -> None:
    shutil.rmtree(copied.out / "models")
    told = json.loads(copied.command("plan", "recipe.yaml", "--json").stdout)
    assert {each["id"]: each["cached"] for each in told["steps"]}["train"] is False


def test_a_training_has_no_rows_in_the_plan(done: Judged) -> None:
    lines = done.command("plan", "recipe.yaml").stdout.splitlines()
    [line] = [line for line in lines if line.startswith("train ")]
    assert line.split() == ["train", "train:", "llamafactory", "cached"]


def test_a_judged_row_is_explained(done: Judged) -> None:
    pairwise, _ = run_facts(done.out, project_of(done.folder / "recipe.yaml")).judgings
    row = pairwise.judged.highest[0]
    told = json.loads(done.command("explain", row.id, "--json").stdout)
    assert told["step"] == "evaluate-pairwise"
    assert [call["model"] for call in told["calls"]] == ["tuned", "base", "judge", "judge"]
    [origin] = told["parents"]
    assert origin["step"] == "rows"
    assert origin["row"]["origin"].startswith("rows.jsonl:")
    text = done.command("explain", row.id).stdout
    assert "answer_tuned: " in text
    assert "made from:" in text


# figures and charts


def test_a_training_is_told_by_its_losses_not_by_its_speed() -> None:
    metrics = {
        "epoch": 1.2, "eval_runtime": 2.5, "eval_samples_per_second": 1.5, "total_flos": 1e12,
        "eval_rewards/chosen": 1.0, "eval_rewards/accuracies": 0.9, "eval_loss": 0.4,
        "eval_rewards/margins": 0.2, "train_loss": 1.25, "train_runtime": 45.0,
    }  # fmt: skip
    told = [figure.name for figure in main_figures(metrics)]
    assert told == ["train_loss", "eval_loss", "eval_rewards/accuracies", "eval_rewards/margins"]


def test_intervals_are_taken_by_name() -> None:
    found = figures({"a": 1, "a_low": 0, "a_high": 2, "b_low": 5, "c": 3})
    assert found == [Figure("a", 1, 0, 2), Figure("b_low", 5), Figure("c", 3)]
    assert [figure.name for figure in main_figures({"c": 3, "a": 1, "a_low": 0, "a_high": 2})] == [
        "a",
        "c",
    ]


def test_rows_that_could_not_be_judged_are_always_told() -> None:
    counts = {"wins": 10, "ties": 0, "losses": 0, "invalid": 10, "x": 1, "x_low": 1, "x_high": 1}
    told = [figure.name for figure in main_figures(counts)]
    assert told == ["x", "wins", "ties", "losses", "invalid"]
    assert "invalid" not in [each.name for each in main_figures({**counts, "invalid": 0})]


@pytest.mark.parametrize("value", [0.0, -3.5, 1e-320, 1e300])
def test_charts_of_any_numbers(value: float) -> None:
    for bars in ([Bar("x", value)], [Bar("x", value, value, value), Bar("y", 1.0, -1.0, 2.0, 9)]):
        drawn = interval_chart(bars, "label", {"<mark>": value})
        assert "nan" not in drawn
        assert "inf" not in drawn
        assert "<mark>" not in drawn
    for points in ([(1, value)], [(1, value), (2, value)], [(1, value), (5, 1.0)]):
        assert "nan" not in curve_chart([Curve("loss", points)], "label")
    assert curve_chart([Curve("loss", [])], "label") == ""
