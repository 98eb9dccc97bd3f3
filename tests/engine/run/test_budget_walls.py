"""The budget is a wall, as the server counts it: real runs against servers of many habits.

`SFTRECIPE_TEST_RUNS` sets the number of random runs.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.engine.run.counting_server import (
    USAGES,
    Counted,
    CountingServer,
    Habits,
    counting_server,
)

RUNS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "6"))
KILLS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "3"))
ROWS = 12


class Project:
    """A recipe with a budget, and its runs."""

    def __init__(self, folder: Path, server: CountingServer) -> None:
        self.folder = folder
        self.server = server
        (folder / ".sftrecipe").mkdir(parents=True)
        self.write_rows(ROWS)

    def write_rows(self, count: int) -> None:
        rows = [
            {"instruction": f"question number {n}: what is {n} plus {n}?"} for n in range(count)
        ]
        (self.folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def write(
        self,
        budget: str,
        *,
        price: tuple[float, float] | None = (1.0, 10.0),
        options: str = "{}",
        repairs: bool = False,
        own: str = "{}",
    ) -> None:
        priced = f"price: {{input: {price[0]}, output: {price[1]}}}" if price else ""
        checked = "filter:\n  - {id: tagged, use: instag, on: g, provider: p}" if repairs else ""
        (self.folder / "recipe.yaml").write_text(f"""\
version: 1
name: wall
budget: {budget}
providers:
  p:
    use: openai
    model: m
    base_url: "{self.server.url}"
    api_key: ""
    limits: {{attempts: 3, timeout: 20, stop_after_failures: 1000}}
    {priced}
sources:
  s: {{use: jsonl, path: a.jsonl}}
generate:
  - {{id: g, use: respond, from: s, provider: p, budget: {own}, with: {options}}}
{checked}
export:
  - {{use: jsonl}}
""")

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "sftrecipe.cli.main", *(words or ("run", "recipe.yaml"))]
        return subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "SFTRECIPE_LANG": "en"},
        )  # fmt: skip

    def run(self, *options: str, status: int = 0) -> str:
        """What a run tells."""
        process = self.start("run", "recipe.yaml", *options)
        out, err = process.communicate(timeout=120)
        assert process.returncode == status, out + err
        return out + err

    def told(self, *words: str) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out

    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "runs/wall/run.json").read_text())
        return found

    def account(self) -> tuple[int, int, float]:
        """Requests, tokens and cost by the ledger."""
        with closing(sqlite3.connect(self.folder / ".sftrecipe/ledger.sqlite")) as ledger:
            assert ledger.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert ledger.execute("SELECT sum(flying), sum(spare_tokens) FROM accounts").fetchone()
            found: tuple[int, int, float] = ledger.execute(
                """SELECT sum(requests), sum(tokens + held_tokens), sum(cost + held_cost)
                FROM accounts"""
            ).fetchone()
        return found


@dataclass
class Story:
    """A random budget, server and history of runs."""

    habits: Habits
    price: tuple[float, float]
    limit: str
    replies: float
    """How many of the longest replies the budget reaches for."""
    max_tokens: int | None
    samples: int
    repairs: bool
    engines: tuple[int, ...]
    """Engines at once, time after time."""
    killed: tuple[bool, ...]
    elsewhere: bool
    """Whether every other engine writes into another folder."""


@st.composite
def stories(draw: st.DrawFn) -> Story:
    lengths = draw(st.lists(st.sampled_from([1, 8, 60, 400, 3000, 20_000]), min_size=1, max_size=3))
    usage = draw(st.sampled_from(["told", "told", "told", "sometimes", *USAGES]))
    habits = Habits(
        lengths=tuple(lengths),
        usage=usage,
        obeys=draw(st.booleans()),
        faults=draw(st.sampled_from([0.0, 0.0, 0.3])),
        cut_off=draw(st.sampled_from([0.0, 0.0, 0.2])),
        # What a server adds and does not tell, nobody knows.
        hidden=draw(st.sampled_from([0, 0, 700])) if usage == "told" else 0,
        delay=draw(st.sampled_from([0.0, 0.03])),
        seed=draw(st.integers(0, 1000)),
    )
    times = draw(st.integers(1, 3))
    return Story(
        habits,
        price=(
            draw(st.sampled_from([0.5, 5.0, 100.0])),
            draw(st.sampled_from([1.0, 10.0, 1000.0])),
        ),
        limit=draw(st.sampled_from(["max_cost", "max_cost", "max_tokens", "max_calls"])),
        replies=draw(st.floats(0.7, 9)),
        max_tokens=draw(st.sampled_from([None, None, 30, 500])),
        samples=draw(st.integers(1, 2)),
        repairs=draw(st.booleans()),
        engines=tuple(draw(st.integers(1, 4)) for _ in range(times)),
        killed=tuple(draw(st.booleans()) for _ in range(times)),
        elsewhere=draw(st.booleans()),
    )


@pytest.mark.heavy
@settings(
    max_examples=RUNS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # to make a failing history smaller takes too long
)
@given(stories())
def test_no_history_of_runs_passes_the_wall(story: Story) -> None:
    with TemporaryDirectory() as folder, counting_server(story.habits) as server:
        project = Project(Path(folder) / "p", server)
        budget, most = _budget(story)
        options = f"{{samples: {story.samples}"
        options += f", max_tokens: {story.max_tokens}}}" if story.max_tokens else "}"
        project.write(budget, price=story.price, options=options, repairs=story.repairs)
        for count, killed in zip(story.engines, story.killed, strict=True):
            _play(project, count, killed=killed, elsewhere=story.elsewhere)
        _check(story, server.counted, most)


def _budget(story: Story) -> tuple[str, float]:
    """The budget as the recipe has it, and as a number."""
    longest = max(story.habits.lengths)
    if story.limit == "max_calls":
        calls = int(3 * story.replies)
        return f"{{max_calls: {calls}}}", calls
    if story.limit == "max_tokens":
        tokens = int(story.replies * (longest + 100 + story.habits.hidden)) + 1100
        return f"{{max_tokens: {tokens}}}", tokens
    cost = story.replies * (longest + 1100) * story.price[1] / 1e6
    return f'{{max_cost: "{cost:.9f} USD"}}', cost


def _play(project: Project, engines: int, *, killed: bool, elsewhere: bool) -> None:
    """Run engines at once; a kill comes to the first of them."""
    running = []
    for number in range(engines):
        out = ("--out", f"elsewhere {number}") if elsewhere and number % 2 else ()
        running.append(project.start("run", "recipe.yaml", *out, "-q"))
    if killed:
        before, since = project.server.counted.requests, time.monotonic()
        while project.server.counted.requests == before and time.monotonic() < since + 3:
            time.sleep(0.01)
        running[0].kill()
    for number, process in enumerate(running):
        _, err = process.communicate(timeout=180)
        if not (killed and number == 0):
            assert process.returncode in (0, 1, 3), err
            assert "Traceback" not in err
            assert "step-failed" not in err


def _check(story: Story, counted: Counted, most: float) -> None:
    read, written = story.price
    if story.limit == "max_calls":
        assert counted.requests <= most, counted
    elif story.limit == "max_tokens":
        largest = counted.largest_read + counted.largest_written
        assert counted.read + counted.written <= most + largest, counted
    else:
        spent = (counted.read * read + counted.written * written) / 1e6
        largest = (counted.largest_read * read + counted.largest_written * written) / 1e6
        assert spent <= most + largest, (spent, most, largest, counted)


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with counting_server(Habits(delay=0.02)) as running:
        yield running


@pytest.fixture
def project(server: CountingServer, tmp_path: Path) -> Project:
    return Project(tmp_path / "p", server)


def test_engines_at_once_and_other_folders_are_one_account(
    project: Project, server: CountingServer
) -> None:
    project.write_rows(40)
    project.write("{max_calls: 20}")
    running = [
        project.start("run", "recipe.yaml", "-q", "--out", str(number)) for number in range(4)
    ]
    assert {process.wait(120) for process in running} <= {1, 3}
    project.run("--out", "one more", status=3)
    assert server.counted.requests == 20
    assert project.account()[0] == 20


def test_a_moved_project_has_spent_what_it_spent(project: Project, server: CountingServer) -> None:
    project.write("{max_calls: 5}")
    project.run(status=3)
    project.folder = project.folder.rename(project.folder.with_name("moved"))
    project.run(status=3)
    project.write("{max_calls: 5}", options="{max_tokens: 7}")
    preview = project.start("preview", "recipe.yaml")
    assert "budget reached" in preview.communicate(timeout=120)[1]
    assert preview.returncode == 3
    assert server.counted.requests == 5


def test_a_step_has_one_account_too(project: Project, server: CountingServer) -> None:
    project.write("{}", own="{max_calls: 6}")
    for out in ("a", "b", "c"):
        assert "budget of step 'g' reached" in project.run("--out", out, status=3)
    assert server.counted.requests == 6


def test_equal_calls_of_two_recipes_are_booked_to_who_paid(
    project: Project, server: CountingServer
) -> None:
    project.write("{max_calls: 6}")
    project.run(status=3)
    recipe = project.folder / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("name: wall", "name: other"))
    project.run()  # six replies that the other paid for, and six of its own
    recipe.write_text(recipe.read_text().replace("name: other", "name: wall"))
    project.run()
    assert server.counted.requests == ROWS
    assert project.account()[0] == ROWS


def test_the_first_call_of_a_step_goes_alone_and_teaches(tmp_path: Path) -> None:
    habits = Habits(lengths=(20_000,), delay=0.1)
    with counting_server(habits) as server:
        project = Project(tmp_path / "p", server)
        project.write("{max_cost: 1 USD}")
        project.run(status=3)
        assert server.counted.most_in_flight == 1
        assert server.counted.written * 10 / 1e6 <= 1
        project.write("{max_cost: 1.3 USD}")
        project.run(status=3)  # the ledger teaches
        assert server.counted.written * 10 / 1e6 <= 1.3


def test_with_enough_money_calls_go_side_by_side(tmp_path: Path) -> None:
    with counting_server(Habits(delay=0.2)) as server:
        project = Project(tmp_path / "p", server)
        project.write_rows(60)
        project.write("{max_cost: 30 USD}")  # of which it takes a thousandth
        project.run()
        assert server.counted.most_in_flight >= 12


def test_replies_that_nobody_saw_count_as_long_as_they_may_have_been(tmp_path: Path) -> None:
    with counting_server(Habits(lengths=(20_000,), cut_off=1.0)) as server:
        project = Project(tmp_path / "p", server)
        project.write("{max_cost: 1 USD}")
        for _ in range(3):
            assert "'max_tokens' bounds that" in project.run(status=3)
        assert 2 <= server.counted.requests <= 6


def test_a_server_that_ignores_max_tokens_is_taken_as_it_is(tmp_path: Path) -> None:
    with counting_server(Habits(lengths=(9000,), obeys=False)) as server:
        project = Project(tmp_path / "p", server)
        project.write("{max_tokens: 30000}", options="{max_tokens: 20}")
        project.run(status=3)
        assert server.counted.read + server.counted.written <= 30_000


@pytest.mark.parametrize("usage", ["left out", "negative", "beyond 64 bit", "sometimes"])
def test_usage_that_is_not_told_is_estimated_and_told_once(tmp_path: Path, usage: str) -> None:
    with counting_server(Habits(usage=usage)) as server:
        project = Project(tmp_path / "p", server)
        project.write("{}")
        told = project.run()
        assert told.count("provider 'p': usage not told: estimated") == 1
        used = project.facts()["usage"]
        assert used["asked"] == ROWS
        assert 0 < used["estimated"] <= ROWS
        assert f"usage of {used['estimated']} calls not told: estimated" in told
        assert server.counted.written <= used["output_tokens"] < 3 * server.counted.written
        assert server.counted.read <= used["input_tokens"] < 4 * server.counted.read
        assert f"({used['estimated']} calls estimated)" in project.told("ledger")
        (total,) = json.loads(project.told("ledger", "--json"))
        assert total["estimated"] == used["estimated"]
        assert total["cost"] > 0


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/v1", "http://no-such-host.invalid/v1", "https://127.0.0.1:{port}/v1"],
)
def test_what_never_left_costs_nothing(project: Project, server: CountingServer, url: str) -> None:
    good, port = server.url, server.url.rpartition(":")[2].removesuffix("/v1")
    server.url = url.format(port=port)
    for _ in range(2):
        project.write("{max_cost: 0.2 USD, max_calls: 12}", options="{max_tokens: 1000}")
        assert "cannot be used" in project.run(status=1)
    assert project.account() == (0, 0, 0.0)
    assert all(total["requests"] == 0 for total in json.loads(project.told("ledger", "--json")))
    server.url = good
    project.write("{max_cost: 0.2 USD, max_calls: 12}", options="{max_tokens: 1000}")
    project.run()
    assert server.counted.requests == ROWS


def test_an_unknown_price_is_said(project: Project) -> None:
    project.write("{}", price=None)
    assert "price unknown" in project.told("plan", "recipe.yaml")
    assert f"price of {ROWS} calls unknown" in project.run()
    assert project.facts()["usage"]["unpriced"] == ROWS
    assert "price unknown" in project.told("ledger")
    assert "price unknown" in (project.folder / "runs/wall/report.html").read_text()


def test_an_engine_that_ended_in_order_was_not_killed(
    project: Project, server: CountingServer
) -> None:
    server.habits.delay = 60.0
    for ending, slug in ((2, "doctor-ledger-left"), (9, "doctor-ledger-lost")):
        project.write("{}", options=f"{{max_tokens: {100 + ending}}}")
        process, before = project.start(), server.counted.requests
        while server.counted.requests < before + ROWS:
            time.sleep(0.02)
        assert not json.loads(project.told("ledger", "--json"))[-1]["unanswered"] or ending == 9
        process.send_signal(ending)
        process.communicate(timeout=30)
        found = {each["slug"] for each in _ledger_checks(project)}
        assert slug in found
    (total,) = json.loads(project.told("ledger", "--json"))
    assert (total["in_flight"], total["unanswered"]) == (0, 2 * ROWS)
    assert total["lost_tokens"] >= ROWS * 100


def _ledger_checks(project: Project) -> list[dict[str, Any]]:
    done = project.start("doctor", "recipe.yaml", "--offline", "--json")
    out, _ = done.communicate(timeout=60)
    return [each for each in json.loads(out)["checks"] if each["check"] == "ledger"]


@pytest.mark.heavy
def test_kills_with_four_engines(tmp_path: Path) -> None:
    drawn, kills = random.Random(7), 0
    habits = Habits(lengths=(5, 300), delay=0.15, faults=0.1)
    with counting_server(habits) as server:
        project = Project(tmp_path / "p", server)
        project.write_rows(20 + 12 * KILLS)
        limits = "--concurrency", "4"
        # A lost call counts as if it had been as long as it may be.
        most = 0.004 * (20 + 12 * KILLS) + 0.02 * KILLS
        project.write(f"{{max_cost: {most:.6f} USD}}", options="{max_tokens: 300}")
        running = [project.start("run", "recipe.yaml", "-q", *limits) for _ in range(4)]
        while kills < KILLS:
            time.sleep(drawn.uniform(0.2, 1.2))
            place = drawn.randrange(4)
            kills += running[place].poll() is None
            running[place].kill()
            running[place].communicate()
            running[place] = project.start("run", "recipe.yaml", "-q", *limits)
        for process in running:
            process.communicate(timeout=120)
        project.run(*limits)
        counted = server.counted
        answered = json.loads(project.told("ledger", "--json"))
        assert counted.requests - len(counted.by_prompt) <= 4 * kills + counted.requests * 0.3
        assert (counted.read * 1 + counted.written * 10) / 1e6 <= most + 0.0033
        requests, _, cost = project.account()
        assert requests >= counted.requests
        assert cost <= most + 0.0033
        assert sum(total["in_flight"] for total in answered) == 0
