"""`run --retry-failed`: only the calls that failed are asked again, and the data is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

RECIPE = """\
version: 1
name: whole
providers:
  teacher: {{use: openai, base_url: "{url}", model: stand-in, api_key: ""}}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
generate:
  - {{id: answered, use: respond, from: seeds, provider: teacher, with: {{replace: true}}}}
  - id: again
    use: respond
    from: answered
    provider: teacher
    with: {{replace: true, prompt: "Shorter: {{{{ output }}}}"}}
filter:
  - {{id: long_enough, use: length, on: answered, with: {{field: output, max_chars: 9000}}}}
mix: {{total: 60, weights: {{again: 1}}, on_shortage: scale}}
export:
  - {{use: llamafactory, with: {{formatting: alpaca, holdout: 0.2}}}}
"""
FAILING, REFUSED, ALL = 4, 2, 30


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in("--delay", 0.01, "--jitter", 0.9) as server:
        yield server


def _project(folder: Path, url: str) -> Whole:
    whole = Whole(folder, url)
    (whole.folder / "recipe.yaml").write_text(RECIPE.format(url=url))
    marks = ["[[400 x1]] "] * FAILING + ["[[refused]] "] * REFUSED
    texts = [f"{marks[n] if n < len(marks) else ''}Seed question {n}?" for n in range(ALL)]
    (whole.folder / "seeds.jsonl").write_text(
        "".join(json.dumps({"instruction": text}) + "\n" for text in texts)
    )
    return whole


def _reasons(whole: Whole) -> dict[str, dict[str, int]]:
    return {name: step["reasons"] for name, step in whole.steps().items() if step["reasons"]}


def test_only_failed_calls_are_asked_again(server: StandIn, tmp_path: Path) -> None:
    whole = _project(tmp_path / "faults", server.url)
    assert whole.run()["failed"] == FAILING
    assert _reasons(whole)["answered"] == {"call_failed": FAILING, "refused": REFUSED}
    assert server.requests() == ALL + (ALL - FAILING - REFUSED)

    server.forget()
    outcome = whole.run()
    assert (outcome["failed"], outcome["fresh"], server.requests()) == (FAILING, False, 0)
    process = whole.start()
    told, _ = process.communicate(timeout=60)
    assert f"{FAILING} of them because their calls failed" in told
    assert "--retry-failed" in told


def test_the_data_is_as_if_nothing_had_failed(server: StandIn, tmp_path: Path) -> None:
    whole = _project(tmp_path / "faults", server.url)
    whole.run()
    before = server.count()["by_prompt"]
    outcome = whole.run("--retry-failed")
    counted = server.count()["by_prompt"]
    more = {prompt: counted[prompt] - before.get(prompt, 0) for prompt in counted}
    again = {prompt for prompt, count in more.items() if count and prompt in before}
    new = [prompt for prompt, count in more.items() if count and prompt not in before]
    assert sorted(again) == [f"[[400 x1]] Seed question {n}?" for n in range(FAILING)]
    assert len(new) == FAILING  # the step behind: the rows that were missing there
    assert all(prompt.startswith("Shorter: ") for prompt in new)
    assert set(more.values()) == {0, 1}
    assert outcome["failed"] == 0
    assert "failed" not in str(_reasons(whole))

    clean = _project(tmp_path / "clean", server.url)  # the faults are used up
    clean.run()
    assert whole.result() == clean.result()


def test_what_follows_is_left_alone_where_nothing_came_of_it(
    server: StandIn, tmp_path: Path
) -> None:
    whole = _project(tmp_path, server.url)
    seeds = whole.folder / "seeds.jsonl"
    seeds.write_text(seeds.read_text().replace("[[400 x1]]", "[[400]]"))
    whole.run()
    server.forget()
    assert whole.run("--retry-failed")["failed"] == FAILING
    assert server.requests() == FAILING
    cached = {name: step["cached"] for name, step in whole.steps().items()}
    assert not cached.pop("answered")
    assert all(cached.values())


def test_a_run_that_shares_the_step_notices(server: StandIn, tmp_path: Path) -> None:
    whole = _project(tmp_path, server.url)
    whole.run()
    whole.run("--retry-failed", "--out", "elsewhere")
    outcome = whole.run()
    assert outcome["fresh"]
    assert outcome["failed"] == 0
    clean = _project(tmp_path / "clean", server.url)
    clean.run()
    assert whole.result() == clean.result()


TAGGED = """\
version: 1
name: whole
providers:
  teacher: {{use: openai, base_url: "{url}", model: stand-in, api_key: ""}}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
filter:
  - id: tagged
    use: instag
    on: seeds
    provider: teacher
    with: {{prompt: "Tag {{{{ instruction }}}}"}}
export:
  - {{use: jsonl, from: seeds}}
"""


def test_rows_that_stay_without_their_reply_are_asked_again(tmp_path: Path) -> None:
    with stand_in("--reply", "items") as server:
        whole = _project(tmp_path / "faults", server.url)
        (whole.folder / "recipe.yaml").write_text(TAGGED.format(url=server.url))
        outcome = whole.run()
        assert outcome["untagged"]["tagged"]["call_failed"] == FAILING
        assert (outcome["rejected"], outcome["failed"]) == (0, 0)
        step = whole.steps()["tagged"]
        assert (step["kept"], step["reasons"]) == (ALL, {})
        assert step["untagged"] == outcome["untagged"]["tagged"]

        asked = server.requests()
        process = whole.start()
        told, _ = process.communicate(timeout=60)
        assert "rows untagged" in told
        assert "--retry-failed" in told
        assert server.requests() == asked
        outcome = whole.run("--retry-failed")
        assert server.requests() == asked + FAILING
        assert "call_failed" not in outcome["untagged"]["tagged"]


def test_a_failed_row_shows_its_call(server: StandIn, tmp_path: Path) -> None:
    whole = _project(tmp_path, server.url)
    whole.run()
    lost = [json.loads(line) for line in (whole.out / "rejects.jsonl").open()]
    for reason, error in (("call_failed", "HTTP 400"), ("refused", "content_filter: unsafe")):
        entry = next(entry for entry in lost if entry["reason"] == reason)
        assert entry["row"]["calls"]
        told = whole.told("explain", entry["row"]["id"])
        assert f"lost at answered: {reason}" in told
        assert f"call {entry['row']['calls'][-1]}" in told
        assert f"> user: {entry['row']['columns']['instruction']}" in told
        assert error in told.partition("> user:")[2]
