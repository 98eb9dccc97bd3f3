"""What `plan` foresees, and what the run then comes to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.estimates import Estimating, check, middle
from tests.support.standin import StandIn, stand_in

ANSWER: dict[str, Any] = {"id": "answered", "use": "respond", "from": "rows", "provider": "teacher"}
ASK: dict[str, Any] = {
    "id": "ask",
    "use": "self_instruct",
    "from": "rows",
    "provider": "teacher",
    "with": {"template": "ask.j2", "rounds": 4, "seeds_per_round": 2, "count": 2},
}
TOPICS = ("fever", "a broken arm", "sleep", "asthma in spring", "high blood pressure", "a cold")
QUESTIONS = [
    f"Doctor, what do I do about {topic} on day {n}?" for n in range(4) for topic in TOPICS
]
CHINESE = [f"医生您好，我最近{n}天一直咳嗽，还有一点发烧，需要去医院检查吗？" for n in range(12)]


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Estimating:
    (tmp_path / "ask.j2").write_text("Write {{ count }} like: {{ examples[0].instruction }}")
    return Estimating(tmp_path)


def teacher(server: StandIn, model: str = "stand-in", **more: Any) -> dict[str, Any]:
    return {"use": "openai", "base_url": server.url, "model": model, "api_key": "", **more}


def test_a_static_step_is_exact_and_the_fact_in_the_range(
    project: Estimating, server: StandIn
) -> None:
    project.write_rows(*QUESTIONS, QUESTIONS[0])
    price = {"input": 2, "output": 8, "currency": "CNY"}
    given = {"samples": 2, "max_tokens": 50}
    providers = {"teacher": teacher(server, price=price)}
    project.write_recipe({**ANSWER, "with": given}, providers=providers)
    server.forget()
    planned = project.plan()
    assert server.requests() == 0
    assert planned["rows"]["rows"] == [25, 25]
    assert planned["answered"]["calls"] == [50, 50]
    assert not planned["answered"]["likely_calls"]
    assert planned["answered"]["asks"][0]["input_basis"] == "guess"
    step = project.run()["answered"]
    assert step["estimate"]["calls"] == [50, 50]
    fact = check(step)
    assert fact["asked"] + fact["cached"] == 50
    again = project.plan()["answered"]
    assert (again["cached"], again["calls"], again["cost"]) == (True, [0, 0], {})


@pytest.mark.parametrize("texts", [QUESTIONS, CHINESE], ids=["latin", "chinese"])
def test_tokens_are_calibrated_by_the_models_own_calls(
    project: Estimating, server: StandIn, texts: list[str]
) -> None:
    half = len(texts) // 2
    project.write_rows(*texts[:half])
    providers = {"teacher": teacher(server)}
    project.write_recipe(ANSWER, providers=providers)
    project.run()
    project.write_rows(*(f"{text} {text}" for text in texts[half:]))
    asks = project.plan()["answered"]["asks"][0]
    assert (asks["input_basis"], asks["output_basis"]) == ("ledger", "ledger")
    fact = check(project.run()["answered"])
    assert middle(asks["input_tokens"]) == pytest.approx(fact["input_tokens"], rel=0.25)
    assert middle(asks["output_tokens"]) == pytest.approx(fact["output_tokens"], rel=0.25)


def test_what_the_ledger_holds_is_not_counted_again(project: Estimating, server: StandIn) -> None:
    providers = {"teacher": teacher(server)}
    project.write_rows(*QUESTIONS[:10])
    project.write_recipe(ANSWER, providers=providers)
    project.run()
    project.write_rows(*QUESTIONS[:14])
    planned = project.plan()["answered"]
    assert (planned["calls"], planned["held"], planned["asked"]) == ([14, 14], 10, [4, 4])
    assert "14, 10 of them in the ledger" in project.command("plan", "recipe.yaml").stdout
    fact = check(project.run()["answered"])
    assert (fact["asked"], fact["cached"]) == (4, 10)


def test_rows_that_ask_nothing_are_not_counted(project: Estimating, server: StandIn) -> None:
    project.write_rows(*QUESTIONS[:6])
    rows = [json.loads(line) for line in (project.folder / "rows.jsonl").read_text().splitlines()]
    rows[0]["output"] = rows[1]["output"] = "Rest."
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (project.folder / "rows.jsonl").write_text(text)
    project.write_recipe(ANSWER, providers={"teacher": teacher(server)})
    assert project.plan()["answered"]["calls"] == [4, 4]
    assert check(project.run()["answered"])["asked"] == 4


def test_more_items_than_asked_for_are_foreseen_as_likely(project: Estimating) -> None:
    with stand_in("--reply", "items", "--items", 5) as server:
        project.write_rows(*QUESTIONS[:6])
        after = {**ANSWER, "from": "ask", "with": {"replace": True}}
        project.write_recipe(ASK, after, providers={"teacher": teacher(server)})
        planned = project.plan()
        assert (planned["ask"]["calls"], planned["ask"]["likely_calls"]) == ([8, 16], False)
        assert (planned["ask"]["rows"], planned["ask"]["likely_rows"]) == ([0, 16], True)
        assert (planned["answered"]["calls"], planned["answered"]["likely_calls"]) == (
            [0, 16],
            True,
        )
        assert not planned["answered"]["asks"][0]["rendered"]
        assert "about 0 to 16" in project.command("plan", "recipe.yaml").stdout
        check(project.run()["ask"])


def test_prompts_of_a_growing_pool_do_not_hold_every_earlier_reply(project: Estimating) -> None:
    project.write_rows(*QUESTIONS)
    given = {"count": 1000, "max_rounds": 100, "max_tokens": 1000}
    tasks = {"id": "tasks", "use": "self_instruct_bootstrap", "from": "rows"}
    talks = {"id": "talks", "use": "dialogue", "from": "rows", "with": {"turns": 6}}
    local = {"use": "openai", "base_url": "http://127.0.0.1:1/v1", "model": "m", "api_key": ""}
    asked = {"provider": "teacher"}
    project.write_recipe(
        {**tasks, **asked, "with": given}, {**talks, **asked}, providers={"teacher": local}
    )
    planned = project.plan()
    most = planned["tasks"]["asked"][1]
    written = planned["tasks"]["output_tokens"][1]
    assert (most, written) == (500, 500_000)
    assert written < planned["tasks"]["input_tokens"][1] < 3 * written
    assert planned["talks"]["input_tokens"][1] > 2 * planned["talks"]["output_tokens"][1]


def test_repairs_lie_in_the_range(project: Estimating, server: StandIn) -> None:
    project.write_rows(*QUESTIONS[:6])
    project.write_recipe(ASK, providers={"teacher": teacher(server)})  # no reply is a JSON list
    fact = check(project.run(status=1)["ask"])
    assert fact["asked"] + fact["cached"] == 16


def test_a_recipe_that_was_stopped_is_foreseen_from_its_replies(
    project: Estimating, server: StandIn
) -> None:
    with stand_in("--reply", "items", "--items", 2) as items:
        project.write_rows(*QUESTIONS[:6])
        after = {**ANSWER, "from": "ask", "with": {"replace": True}}
        providers = {"teacher": teacher(items)}
        project.write_recipe(ASK, after, providers=providers, budget={"max_calls": 12})
        stopped = project.command("run", "recipe.yaml")
        assert stopped.returncode == 3
        project.write_recipe(ASK, after, providers=providers)
        planned = project.plan()
        assert planned["ask"]["cached"]
        assert planned["answered"]["calls"] == [16, 16]
        fact = check(project.run()["answered"])
        assert planned["answered"]["held"] == fact["cached"] >= 4


def test_a_budget_that_is_too_small_is_told_before_anything_is_asked(
    project: Estimating, server: StandIn
) -> None:
    project.write_rows(*QUESTIONS[:10])
    own = {**ANSWER, "budget": {"max_calls": 4}}
    project.write_recipe(own, providers={"teacher": teacher(server)}, budget={"max_calls": 7})
    told = project.command("plan", "recipe.yaml")
    assert told.returncode == 0
    assert "the budget is too small, the run will pause: max_calls is 7, 10 or more" in told.stderr
    assert "the budget of step 'answered' is too small" in told.stderr
    assert "预算不足" in project.command("plan", "recipe.yaml", language="zh").stderr
    paused = project.command("run", "recipe.yaml")
    assert paused.returncode == 3
    assert paused.stderr.index("too small") < paused.stderr.index("rows: 10 rows")
    facts = json.loads((project.folder / "runs/estimating/run.json").read_text())
    assert facts["estimate"][0]["fact"]["teacher"]["asked"] == 4


def test_currencies_stay_apart(project: Estimating, server: StandIn) -> None:
    project.write_rows(*QUESTIONS[:6])
    yuan = {"input": 10, "output": 10, "currency": "CNY"}
    dollars = {"input": 1, "output": 1, "currency": "USD"}
    providers = {
        "teacher": teacher(server, price=yuan),
        "other": teacher(server, "other", price=dollars),
        "unpriced": teacher(server, "nobody-knows-it"),
    }
    steps = [
        {**ANSWER, "id": f"by_{name}", "provider": name, "with": {"max_tokens": 30}}
        for name in providers
    ]
    project.write_recipe(*steps, providers=providers)
    done = project.command("plan", "recipe.yaml", "--json")
    total = json.loads(done.stdout)["total"]
    assert set(total["cost"]) == {"CNY", "USD"}
    assert total["unpriced"] == ["unpriced"]
    told = project.command("run", "recipe.yaml").stdout.splitlines()
    (line,) = (line for line in told if line.startswith("estimate: "))
    assert "in fact: 18 calls" in line
    assert line.count("CNY") == line.count("USD") == 2
    for step in json.loads((project.folder / "runs/estimating/run.json").read_text())["estimate"]:
        check(step)


def test_the_plan_speaks_chinese(project: Estimating, server: StandIn) -> None:
    project.write_rows(*CHINESE)
    project.write_recipe(ANSWER, providers={"teacher": teacher(server)})
    head, first, *_ = project.command("plan", "recipe.yaml", language="zh").stdout.splitlines()
    assert head.split() == ["步骤", "插件", "状态", "行数", "调用", "token", "估算依据", "费用"]
    assert len(head[: head.index("插件")].encode("gbk")) == first.index("sources")
    assert "估计：12 次调用" in project.command("run", "recipe.yaml", language="zh").stdout


@pytest.mark.parametrize("reply", ["chat", "list"])
def test_the_embedded_models_tokens_are_counted_exactly(project: Estimating, reply: str) -> None:
    pytest.importorskip("xllamacpp")
    project.write_rows(
        "What helps against a cold? 37.5 degrees…", "Is it bad to eat late, at 10 pm?"
    )
    step: dict[str, Any] = {**ANSWER, "with": {"max_tokens": 6, "system": "You're a doctor."}}
    if reply == "list":
        given = {"template": "ask.j2", "rounds": 2, "seeds_per_round": 1, "reply": "list"}
        step = {**ASK, "with": {**given, "max_tokens": 6}}
    project.write_recipe(step, providers={"teacher": {"use": "embedded"}})
    planned = project.plan()[step["id"]]
    assert planned["asks"][0]["input_basis"] == "tokenizer"
    fact = check(project.run(status=1)[step["id"]])  # six tokens are no whole reply
    assert middle(planned["input_tokens"]) == pytest.approx(fact["input_tokens"], abs=1)


def test_a_source_that_cannot_be_read_fails_the_run_not_the_estimate(
    project: Estimating, server: StandIn
) -> None:
    project.write_rows(*QUESTIONS[:2])
    project.write_recipe(ANSWER, providers={"teacher": teacher(server)})
    (project.folder / "rows.jsonl").unlink()
    (project.folder / "rows.jsonl").write_bytes(b"")
    project.write_recipe(
        ANSWER,
        providers={"teacher": teacher(server)},
        sources={"rows": {"use": "parquet", "path": "rows.jsonl"}},
    )
    planned = project.plan()
    assert planned["rows"]["rows"] == [0, None]
    assert project.command("run", "recipe.yaml").returncode == 1
    assert (project.folder / "runs/estimating/run.json").exists()
