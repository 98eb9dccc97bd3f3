"""A step's own budget: its wall, the pause, and going on behind it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

SEEDS = 30


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in("--delay", 0.02, "--jitter", 0.9) as server:
        yield server


def _write(whole: Whole, first: str, second: str, whole_budget: str = "{}") -> None:
    (whole.folder / "recipe.yaml").write_text(f"""\
version: 1
name: whole
budget: {whole_budget}
providers:
  teacher:
    use: openai
    base_url: "{whole.url}"
    model: stand-in
    api_key: ""
    price: {{input: 1000000, output: 1000000, currency: CNY}}   # one yuan a token
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
generate:
  - {{id: first, use: respond, from: seeds, provider: teacher, budget: {first},
     with: {{replace: true, max_tokens: 20}}}}
  - {{id: second, use: respond, from: first, provider: teacher, budget: {second},
     with: {{replace: true, max_tokens: 20, prompt: "Again: {{{{ output }}}}"}}}}
export:
  - {{use: llamafactory, with: {{holdout: 0.2}}}}
""")


@pytest.fixture
def whole(server: StandIn, tmp_path: Path) -> Whole:
    return Whole(tmp_path, server.url, seeds=SEEDS)


def test_calls_of_a_step_are_a_wall_over_engines(whole: Whole, server: StandIn) -> None:
    for most in (7, 19):
        _write(whole, "{}", f"{{max_calls: {most}}}")
        told = whole.run(status=3)["error"]
        assert "error[step-budget-reached]" in told
        assert f"budget of step 'second' reached: max_calls is {most}" in told
        assert "hint: raise it and run again" in told
        assert server.requests() == SEEDS + most
        assert whole.facts()["status"] == "paused"
    _write(whole, "{}", "{max_calls: 30}")
    assert whole.run()["usage"]["asked"] == SEEDS - 19
    assert server.requests() == 2 * SEEDS == server.count()["prompts"]


def test_cost_of_a_step_is_a_wall_and_others_are_not_held_up(whole: Whole, server: StandIn) -> None:
    _write(whole, "{}", "{max_cost: 200 CNY}", "{max_cost: 5000 CNY}")
    assert "budget of step 'second' reached: max_cost is 200 CNY" in whole.run(status=3)["error"]
    assert _spent(whole, "first") > 200
    assert 100 < _spent(whole, "second") <= 200


def test_the_recipes_budget_holds_all_the_same(whole: Whole, server: StandIn) -> None:
    _write(whole, "{}", "{max_calls: 1000}", "{max_calls: 35}")
    assert "error[budget-reached]" in whole.run(status=3)["error"]
    assert server.requests() == 35


def test_a_cost_that_cannot_be_held_is_refused_before_any_call(
    whole: Whole, server: StandIn
) -> None:
    _write(whole, "{}", "{max_cost: 2 USD}")
    assert "error[budget-currency]" in (told := whole.run(status=2)["error"])
    assert "report" not in told
    assert server.requests() == 0
    for command in (["plan"], ["doctor", "--offline"]):
        done = whole.command(*command, "recipe.yaml")
        assert done.returncode == (2 if command == ["plan"] else 1)
        assert "budget max_cost is in USD" in done.stdout + done.stderr


def test_a_provider_that_nobody_asks_holds_nothing_up(whole: Whole, server: StandIn) -> None:
    _write(whole, "{}", "{}", "{max_cost: 100000 CNY}")
    recipe = whole.folder / "recipe.yaml"
    unasked = "  idle: {use: openai, model: x, api_key: '', base_url: 'http://127.0.0.1:9/v1'}\n"
    recipe.write_text(recipe.read_text().replace("sources:", f"{unasked}sources:"))
    whole.run()
    assert whole.command("plan", "recipe.yaml").returncode == 0


def test_the_plan_shows_it(whole: Whole) -> None:
    _write(whole, "{max_calls: 40, max_tokens: 9000}", "{max_cost: 5 CNY}", "{max_calls: 70}")
    told = whole.told("plan", "recipe.yaml")
    assert "budget: 70 calls" in told
    assert "budget of first: 40 calls, 9,000 tokens" in told
    assert "budget of second: 5 CNY" in told
    steps = json.loads(whole.told("plan", "recipe.yaml", "--json"))["steps"]
    facts = {step["id"]: step["budget"] for step in steps}
    assert facts["first"]["max_calls"] == 40
    assert facts["seeds"] is None


def test_a_budget_makes_nothing_stale(whole: Whole, server: StandIn) -> None:
    _write(whole, "{}", "{}")
    whole.run()
    _write(whole, "{max_calls: 1}", "{max_calls: 1}")
    assert whole.run()["usage"]["requests"] == 0


def _spent(whole: Whole, step: str) -> float:
    with sqlite3.connect(whole.folder / ".sftrecipe" / "ledger.sqlite") as ledger:
        query = "SELECT sum(cost) FROM calls WHERE step = ?"
        return float(ledger.execute(query, (step,)).fetchone()[0])
