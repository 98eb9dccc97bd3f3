"""Sweeps by the real command, with trainings that take no time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.sweep_runs import MIXES, QUESTIONS, Sweeping

NAMES = ["mix.weights=a-1+b-9", "mix.weights=a-4+b-6", "mix.weights=a-8+b-2"]
RATES = {"over": {"train.with.rate": [1.0, 9.0, 1.5]}}


@pytest.fixture
def project(tmp_path: Path) -> Sweeping:
    return Sweeping(tmp_path / "project")


def figures(facts: dict[str, Any]) -> list[float | None]:
    return [each["figure"] for each in facts["variants"]]


def test_the_best_mix_is_found_and_everything_is_made_once(project: Sweeping) -> None:
    project.write({})
    facts = project.sweep()
    assert [each["name"] for each in facts["variants"]] == NAMES
    assert (facts["verdict"], facts["best"], facts["rows"]) == ("best", NAMES[1], QUESTIONS)
    assert facts["optimum"]["where"] == "inside"
    assert facts["optimum"]["at"]["value"] == pytest.approx(0.4)  # the toy's loss is a parabola
    assert project.trainings() == [f"{name} 1 0" for name in NAMES]
    assert json.loads((project.out / "sweep.json").read_text()) == facts
    history = project.command("history").stdout
    assert all(f" toy ({name}) " in history for name in NAMES)
    for name in NAMES:
        run = json.loads((project.out / "sweep" / name / "run.json").read_text())
        assert run["status"] == "done"
        assert "sweep" not in run["document"]
        assert [step["cached"] for step in run["steps"] if step["section"] == "sources"] == [
            name != NAMES[0]
        ] * 3
        assert (project.out / "sweep" / name / "report.html").exists()


def test_a_lock_knows_that_replies_told_nothing(project: Sweeping) -> None:
    (project.folder / "fixed").mkdir()
    told = json.dumps({"share": 0.5, "rate": 1.0, "seed": 0})
    (project.folder / "fixed" / "model.json").write_text(told)
    judged = [
        {"id": name, "use": "toy", "on": "exam", "provider": name} for name in ("tuned", "fixed")
    ]
    project.write(None, providers={"fixed": {"use": "toy", "model": "./fixed"}}, evaluate=judged)
    assert project.command("run", "recipe.yaml").returncode == 0
    assert "not known" not in project.command("lock", "recipe.yaml").stdout
    shutil.rmtree(project.folder / ".sftrecipe")  # as in a fresh clone
    assert "unchanged" in project.command("lock", "recipe.yaml").stdout


def test_done_again_it_costs_nothing(project: Sweeping) -> None:
    project.write({})
    first = project.sweep()
    again = project.sweep()
    assert len(project.trainings()) == len(MIXES)
    for facts in (first, again):
        for each in facts["variants"]:
            for training in each["trainings"]:
                assert training.pop("cached") == (facts is again)
    assert again == first


def test_one_more_value_trains_one_more_model(project: Sweeping) -> None:
    project.write({"over": {"mix.weights": MIXES[:2]}})
    project.sweep()
    project.write({})
    project.sweep()
    assert project.trainings() == [f"{name} 1 0" for name in NAMES]


def test_the_table_tells_all_and_no_more(project: Sweeping) -> None:
    project.write({})
    done = project.command("sweep", "recipe.yaml")
    lines = done.stdout.splitlines()
    assert lines[0] == "judged.loss, lower is better, on 12 rows judged in every variant"
    assert lines[3].startswith("a 4, b 6 *")
    assert (
        "Suggested: a 4, b 6, better than every other one beyond the noise of rows" in done.stdout
    )
    assert "Whether other trainings would agree is not known" in done.stdout
    assert "is best at a 0.4 " in done.stdout
    assert "which is the mix a 0.4, b 0.6" in done.stdout
    assert "Each variant was trained once" in done.stdout
    told = project.command("sweep", "recipe.yaml", SFTRECIPE_LANG="zh").stdout
    assert "建议：a 4, b 6。" in told
    assert "重新训练是否仍然如此，尚不可知" in told
    assert project.command("sweep", "recipe.yaml", "-q").stdout == ""


def test_a_variant_that_fails_is_told_and_the_others_go_on(project: Sweeping) -> None:
    project.write(RATES)
    facts = project.sweep(status=1)
    failed = facts["variants"][1]["trainings"][0]
    assert failed["problem"] == "step 'train' cannot go on: the rate is absurd"
    assert figures(facts)[1] is None
    assert facts["best"] == "train.with.rate=1"
    assert facts["verdict"] == "best"
    told = project.command("sweep", "recipe.yaml")
    assert "failed: step 'train' cannot go on: the rate is absurd" in told.stdout
    assert len(project.trainings()) == 4  # the failed one was tried again


def test_what_all_variants_need_fails_once(project: Sweeping) -> None:
    project.write(RATES, mix={"total": 1000, "weights": {"a": 1, "b": 1}})
    facts = project.sweep(status=1)
    assert facts["verdict"] == "nothing"
    problems = {each["trainings"][0]["problem"] for each in facts["variants"]}
    assert len(problems) == 1
    assert project.trainings() == []
    ran = [path.parent.name for path in (project.out / "sweep").glob("*/run.json")]
    assert ran == ["train.with.rate=1"]


def test_interrupted_it_goes_on_where_it_was(project: Sweeping) -> None:
    project.write({"over": {"train.with.rate": [1.0, -1.0, 1.5]}})
    assert project.command("sweep", "recipe.yaml").returncode == 130
    assert len(project.trainings()) == 2
    facts = project.sweep(TOY_GOES_ON="yes")
    assert len(project.trainings()) == 4
    assert [each["trainings"][0]["cached"] for each in facts["variants"]] == [True, False, False]


def test_the_budget_is_that_of_the_whole_sweep(project: Sweeping) -> None:
    most = 2 * QUESTIONS + 3
    project.write({}, budget={"max_calls": most})
    done = project.command("sweep", "recipe.yaml")
    assert done.returncode == 3
    warned = f"too small for the whole sweep, which will pause: max_calls is {most}, 36 or more"
    assert warned in done.stderr
    assert len(project.trainings()) == 3
    assert project.command("sweep", "recipe.yaml").returncode == 3
    assert len(project.trainings()) == 3  # the third model is there already
    project.write({}, budget={"max_calls": 3 * QUESTIONS})
    assert project.sweep()["verdict"] == "best"
    # A plain run is paid from the same account: the recipe's.
    assert project.command("run", "recipe.yaml").returncode == 3
    project.write({}, budget={"max_calls": 4 * QUESTIONS})
    assert project.command("run", "recipe.yaml").returncode == 0


def test_only_the_best_model_is_kept_and_nothing_is_made_again(project: Sweeping) -> None:
    project.write({"keep_models": "best"})
    facts = project.sweep()
    assert project.models() == [NAMES[1]]
    assert project.sweep()["best"] == facts["best"]
    assert len(project.trainings()) == 3
    # Another goal, another best one, whose model is gone.
    project.write({"keep_models": "best", "goal": "higher"})
    assert project.sweep()["best"] == NAMES[2]
    assert project.models() == [NAMES[2]]
    assert project.trainings()[3:] == [f"{NAMES[2]} 1 0"]


def test_no_model_is_deleted_while_a_variant_is_missing(project: Sweeping) -> None:
    project.write(RATES | {"keep_models": "best"})
    project.sweep(status=1)
    assert project.models() == ["train.with.rate=1", "train.with.rate=1.5"]


def test_several_trainings_of_each_variant(project: Sweeping) -> None:
    project.write({"seeds": 2}, seed=3)
    facts = project.sweep()
    assert project.trainings() == [
        line
        for name in NAMES
        # The first training has the trainer's own seed, the next that after the recipe's.
        for line in (f"{name} 1 0", f"{name}__training=2 1 4")
    ]
    for each in facts["variants"]:
        one, two = (training["figure"] for training in each["trainings"])
        assert two - one == pytest.approx(0.04)
        assert each["figure"] == pytest.approx((one + two) / 2)
    assert (facts["verdict"], facts["noise"]) == ("best", "rows and trainings")
    project.write({}, seed=3)
    project.sweep()
    assert len(project.trainings()) == 6


def test_what_two_trainings_leave_open_is_no_best_one(project: Sweeping) -> None:
    """The second training's loss is higher by 0.04: more than the rates differ by."""
    project.write({"seeds": 2, "over": {"train.with.rate": [1.0, 1.03]}}, seed=3)
    facts = project.sweep()
    assert (facts["verdict"], facts["noise"]) == ("noise", "rows and trainings")
    told = project.command("sweep", "recipe.yaml").stdout
    assert f"about {facts['more_trainings']['trainings']} trainings of each" in told
    project.write({"over": {"train.with.rate": [1.0, 1.03]}}, seed=3)
    once = project.sweep()
    assert (once["verdict"], once["noise"], once["more_trainings"]) == ("best", "rows", None)


def test_plan_tells_what_each_variant_adds(project: Sweeping) -> None:
    project.write({"seeds": 2})
    facts = json.loads(project.command("plan", "recipe.yaml", "--json").stdout)["sweep"]
    assert [part["variant"] for part in facts] == [None, *NAMES]
    assert facts[0]["steps"] == ["a", "b", "exam"]
    assert facts[0]["trainings"] == facts[0]["calls"][1] == 0
    for part in facts[1:]:
        assert part["steps"] == ["mix", "train", "judged", "train", "judged"]
        assert part["trainings"] == 2
        assert part["calls"][0] <= 2 * QUESTIONS <= part["calls"][1]
    told = project.command("plan", "recipe.yaml").stdout
    assert "sweep: 3 variants, 6 trainings; still to be done:" in told
    project.write({})
    project.sweep()
    lines = project.command("plan", "recipe.yaml").stdout.splitlines()
    assert lines[-1].split() == ["total", "0", "0", "0", "0", "0"]


def test_a_figure_without_values_of_the_rows_is_not_paired(project: Sweeping) -> None:
    project.write({"metric": "judged.whole"})
    facts = project.sweep()
    assert (facts["verdict"], facts["best"]) == ("unpaired", NAMES[1])
    found = facts["variants"][1]
    assert found["low"] == pytest.approx(found["figure"] - 1)
    assert found["best_probability"] is None
    assert "more than noise is not known" in project.command("sweep", "recipe.yaml").stdout


def test_a_figure_that_the_judge_does_not_find_fails(project: Sweeping) -> None:
    project.write({"metric": "judged.nothing"})
    facts = project.sweep(status=1)
    assert facts["verdict"] == "nothing"
    assert "found no figure 'nothing'" in facts["variants"][0]["trainings"][0]["problem"]


def test_a_gate_that_a_variant_misses_is_told_and_its_figure_counts(project: Sweeping) -> None:
    judge = {"id": "judged", "use": "toy", "on": "exam", "provider": "tuned"}
    project.write({}, evaluate=[judge | {"gate": {"loss": {"at_most": 4.6}}}])
    facts = project.sweep(status=1)
    missed = [bool(each["trainings"][0]["problem"]) for each in facts["variants"]]
    assert figures(facts) == pytest.approx([4.866, 4.333, 5.28], abs=1e-3)
    assert missed == [True, False, True]
    again = project.sweep(status=1)["variants"][0]["trainings"][0]
    assert again["problem"].startswith("gate missed")


def test_a_recipe_without_a_sweep(project: Sweeping) -> None:
    project.write(None)
    done = project.command("sweep", "recipe.yaml")
    assert done.returncode == 2
    assert "recipe 'toy' has no sweep" in done.stderr


def test_variables_vary_too(project: Sweeping) -> None:
    project.write({"over": {"vars.rate": [1.0, 2.0]}})
    facts = project.sweep()
    assert [line.split()[1] for line in project.trainings()] == ["1", "2"]
    assert facts["best"] == "vars.rate=1"
    assert (
        "is the same recipe as" in project.command("sweep", "recipe.yaml", "--set", "rate=3").stderr
    )


@pytest.mark.parametrize(("varied", "status"), [("second", 0), ("first", 2)])
def test_questions_are_what_the_first_export_holds_out(
    project: Sweeping, varied: str, status: int
) -> None:
    exports = [
        {"id": name, "use": "llamafactory", "from": "a", "with": {"name": name, "holdout": 1}}
        for name in ("first", "second")
    ]
    over = {f"export.{varied}.with.holdout": [1, 2]}
    blocks = {"mix": None, "train": {"use": "toy", "on": "second"}, "export": exports}
    judges = [{"id": "judged", "use": "toy", "provider": "tuned"}]
    project.write({"over": over}, **blocks, evaluate=judges)
    done = project.command("validate", "recipe.yaml")
    assert done.returncode == status, done.stderr
    assert ("sweep-questions" in done.stderr) == (varied == "first")
