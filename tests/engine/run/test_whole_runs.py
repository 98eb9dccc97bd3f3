"""Whole runs of the real command against a real server: identity, caching, accounts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

OPTIONS = ("--reply", "items", "--items", 3, "--delay", 0.02, "--jitter", 0.9)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in(*OPTIONS) as server:
        yield server


@pytest.fixture
def whole(server: StandIn, tmp_path: Path) -> Whole:
    server.forget()
    return Whole(tmp_path, server.url)


def test_a_run_leaves_data_and_accounts_for_every_row(whole: Whole, server: StandIn) -> None:
    outcome = whole.run()
    facts, steps = whole.facts(), whole.steps()
    assert facts["status"] == "done"
    assert outcome["usage"]["asked"] == server.requests()
    assert steps["ask"]["made"] == 54
    assert steps["answered"]["made"] == steps["long_enough"]["kept"] < 54
    for step in steps.values():
        assert step["made"] == step["kept"] + step["rejected"], step["id"]
    rejects = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    assert len(rejects) == sum(step["rejected"] for step in steps.values()) == outcome["rejected"]
    assert {entry["step"] for entry in rejects} >= {"long_enough", "mix"}
    assert all(entry["reason"] and entry["row"]["id"] for entry in rejects)
    rows = json.loads((whole.out / "whole.json").read_text())
    holdout = json.loads((whole.out / "whole_holdout.json").read_text())
    assert len(rows) + len(holdout) == steps["mix"]["notes"]["written"]


def test_a_finished_run_asks_nothing_and_writes_nothing(whole: Whole, server: StandIn) -> None:
    whole.run()
    before = {path: path.stat().st_mtime_ns for path in whole.out.iterdir()}
    server.forget()
    outcome = whole.run()
    assert not outcome["fresh"]
    assert server.requests() == 0
    assert {path: path.stat().st_mtime_ns for path in whole.out.iterdir()} == before


def test_a_finished_run_without_a_catalogue_keeps_what_it_says_of_itself(whole: Whole) -> None:
    recipe = whole.folder / "recipe.yaml"
    recipe.write_text(recipe.read_text().partition("export:")[0] + "export: [{use: jsonl}]\n")
    assert whole.run()["usage"]["asked"]
    before = whole.facts()
    assert not whole.run()["fresh"]
    assert whole.facts() == before


def test_progress_and_ledger_speak_the_users_language(whole: Whole) -> None:
    done = whole.command("run", "recipe.yaml", language="zh")
    assert "行" in done.stderr
    assert " rows" not in done.stdout + done.stderr
    assert "完好" in whole.command("ledger", "verify", language="zh").stdout
    head, *_, last = whole.command("ledger", language="zh").stdout.splitlines()
    assert head.split()[:5] == ["日期", "配方", "步骤", "provider", "模型"]
    assert last == f"共 {whole.facts()['usage']['asked']} 次调用"


def test_the_same_data_at_any_concurrency(server: StandIn, tmp_path: Path) -> None:
    results = []
    for concurrency in ("1", "64"):
        whole = Whole(tmp_path / concurrency, server.url)
        whole.run("--concurrency", concurrency)
        results.append(whole.result())
    assert results[0] == results[1]


def test_a_changed_filter_runs_again_with_what_follows(whole: Whole, server: StandIn) -> None:
    whole.run()
    server.forget()
    whole.write_recipe(max_chars=55)
    whole.run()
    cached = {name: step["cached"] for name, step in whole.steps().items()}
    assert cached == {
        "seeds": True, "ask": True, "long_enough": False, "answered": False, "once": False,
        "mix": False, "export-llamafactory": False,
    }  # fmt: skip
    assert server.requests() == 0


def test_one_more_seed_pays_for_its_own_calls(whole: Whole, server: StandIn) -> None:
    whole.run()
    before = server.count()["by_prompt"]
    whole.write_seeds([0, 1, 2, 99, *range(3, 12)])
    whole.run()
    counted = server.count()["by_prompt"]
    assert {prompt: counted[prompt] for prompt in before} == before
    new = [prompt for prompt in counted if prompt not in before]
    asks = [prompt for prompt in new if prompt.startswith("Write")]
    assert asks
    assert all("Seed question 99?" in prompt for prompt in asks)
    assert len(new) <= len(asks) * 4


def test_deleted_outputs_come_back_without_a_call(whole: Whole, server: StandIn) -> None:
    whole.run()
    result = whole.result()
    (whole.out / "whole.json").unlink()
    server.forget()
    whole.run()
    assert whole.result() == result
    assert server.requests() == 0


def test_a_budget_is_a_wall_and_the_run_goes_on_behind_it(whole: Whole, server: StandIn) -> None:
    recipe = (whole.folder / "recipe.yaml").read_text()
    (whole.folder / "recipe.yaml").write_text(recipe + "budget: {max_calls: 20}\n")
    told = whole.run(status=3)["error"]
    assert "20" in told
    assert server.requests() == 20
    assert whole.facts()["status"] == "paused"
    (whole.folder / "recipe.yaml").write_text(recipe)
    asked = whole.run()["usage"]["asked"]
    assert server.requests() == 20 + asked == sum(server.count()["answered_by_prompt"].values())


def test_a_dead_server_is_told_in_its_own_words(tmp_path: Path) -> None:
    whole = Whole(tmp_path, "http://127.0.0.1:9/v1")
    told = whole.run(status=1)["error"]
    assert "Traceback" not in told
    assert "127.0.0.1:9" in told
    assert whole.facts()["status"] == "failed"


def test_a_full_output_folder_is_told(whole: Whole) -> None:
    (whole.folder / "runs").write_text("a file where the folder should be")
    told = whole.run(status=1)["error"]
    assert "Traceback" not in told
    assert "error[" in told


def test_a_run_that_ends_with_no_row_still_says_why(whole: Whole) -> None:
    whole.write_recipe(max_chars=1)
    text = (whole.folder / "recipe.yaml").read_text()
    (whole.folder / "recipe.yaml").write_text(text.replace(", seeds: 1", ""))
    assert "error[nothing-left]" in whole.run(status=1)["error"]
    rejects = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    assert {(entry["step"], entry["reason"]) for entry in rejects} == {("long_enough", "too_long")}
