"""The page of real runs: done, failed, paused, empty, hostile, and with files deleted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.engine.report.page_parts import PageParts
from tests.support.standin import stand_in
from tests.support.standin_runs import Whole

OPTIONS = ("--reply", "items", "--items", 3)
HOSTILE = [
    "<script>window.hacked=1;alert(1)</script>",
    '</style></title><img src=http://evil.example/x onerror="window.hacked=2">',
    '"><svg onload=alert(2)>',
    "\u202eevil txt.exe\u202c \u2066x\u2069 \u200b\ufeff",
    "controls \x00\x01\x08\x1b[31m red \x7f \x85 \x0c",
    "{{ 7*7 }} {% raw %} ${env:HOME} {0} %s {name}",
    "https://evil.example/a.css url(http://evil.example) @import 'x'",
    "&lt;b&gt; &amp; <!-- --> ]]> <![CDATA[",
    "😀👩‍👩‍👧‍👦 शिक्षा مرحبا שלום",
    "x" * 200_000,
    "two\nlines\r\n\ttabs",
    '<a href="javascript:alert(3)">click</a>',
]
RECIPE = """\
version: 1
name: {name}
description: "{description}"
language: {language}
sources:
  rows: {{use: jsonl, path: rows.jsonl}}
filter:
  - {{id: short, use: length, on: rows, with: {{field: instruction, max_chars: {most}}}}}
  - {{id: words, use: blacklist, on: rows, with: {{field: instruction, words: [click, red]}}}}
export:
  - {{use: jsonl}}
"""


def sftrecipe(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command."""
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "SFTRECIPE_LANG": "en", **environment},
    )


def project(folder: Path, rows: list[dict[str, Any]], **values: Any) -> Path:
    """A project whose recipe asks no model; the folder of its run."""
    (folder / ".sftrecipe").mkdir(parents=True)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
    given = {"name": "plain", "description": "Rows", "language": "en", "most": 1000, **values}
    (folder / "recipe.yaml").write_text(RECIPE.format(**given), encoding="utf-8")
    return folder / "runs" / given["name"]


def hostile_project(folder: Path) -> Path:
    """A project whose rows try to break the page."""
    count = len(HOSTILE)
    rows = [
        {"instruction": f"{HOSTILE[n % count]} {n}", "output": HOSTILE[(n + 3) % count],
         "tag<i>": HOSTILE[n % count][:50]}
        for n in range(5 * count)
    ]  # fmt: skip
    return project(folder, rows, name="hostile", description="<script>alert('d')</script>")


def page(out: Path) -> PageParts:
    """The page in a run's folder, checked for what no page may hold."""
    content = (out / "report.html").read_text(encoding="utf-8")
    parts = PageParts(content)
    assert not {"script", "img", "iframe", "object", "embed", "base", "form"} & set(parts.tags)
    assert not parts.handlers
    assert not parts.inline_styles
    assert all(each.startswith("#") or each == "data:," for each in parts.addresses)
    assert not parts.css_addresses
    assert not parts.open
    return parts


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run that asked a model, done."""
    with stand_in(*OPTIONS) as server:
        whole = Whole(tmp_path_factory.mktemp("done"), server.url)
        whole.run()
        yield whole


def test_a_run_leaves_its_page(done: Whole) -> None:
    parts, facts = page(done.out), done.facts()
    for step in facts["steps"]:
        assert step["id"] in parts.text
    assert f"{sum(each['rows'] for each in facts['data_sets']):,}" in parts.text
    assert "done" in parts.texts
    assert parts.tags.count("h1") == 1


def test_json_gives_what_run_json_says(done: Whole) -> None:
    told = json.loads(sftrecipe(done.folder, "report", "whole", "--json").stdout)
    facts = done.facts()
    counts = ("id", "made", "kept", "rejected", "reasons")
    for shown, step in zip(told["funnel"], facts["steps"], strict=True):
        assert [shown[name] for name in counts] == [step[name] for name in counts]
    assert told["total"] == facts["usage"]
    lost = {(each["step"], each["reason"]): each["count"] for each in told["rejects"]}
    assert lost == {
        (step["id"], reason): count
        for step in facts["steps"]
        for reason, count in step["reasons"].items()
    }
    for each in told["rejects"]:
        assert len(each["examples"]) == min(12, each["count"])
    mixed = {each["name"]: each["rows"] for each in told["mixture"]}
    assert sum(mixed.values()) == told["head"]["rows"]


def test_samples_lead_back_to_seeds_prompts_and_replies(done: Whole) -> None:
    told = json.loads(sftrecipe(done.folder, "report", "whole", "--json").stdout)
    answered = [row for row in told["samples"] if row["stream"] == "answered"]
    assert answered
    for row in answered:
        assert row["calls"][0]["step"] == "answered"
        assert row["calls"][0]["reply"]
        [asked] = row["parents"]
        assert asked["stream"] == "ask"
        assert asked["calls"][0]["prompt"].count("Seed question") > 0
        assert {seed["stream"] for seed in asked["parents"]} == {"seeds"}


def test_the_run_may_be_named_in_three_ways(done: Whole, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    for name in ("whole", "recipe.yaml", "runs/whole", str(done.out / "run.json")):
        told = sftrecipe(done.folder, "report", name, "--out", str(file))
        assert told.returncode == 0, told.stderr
        assert told.stdout.strip() == str(file)
        assert "whole" in PageParts(file.read_text()).text
        file.unlink()


def test_a_run_that_does_nothing_leaves_the_page_alone(done: Whole) -> None:
    before = (done.out / "report.html").stat().st_mtime_ns
    done.run()
    assert (done.out / "report.html").stat().st_mtime_ns == before
    (done.out / "report.html").unlink()
    done.run()
    assert (done.out / "report.html").exists()


def test_the_language_is_the_recipes_or_the_one_asked_for(tmp_path: Path) -> None:
    out = project(tmp_path, [{"instruction": "你好", "output": "您好"}], language="zh")
    assert sftrecipe(tmp_path, "run", "recipe.yaml").returncode == 0
    assert "各步骤的行数" in page(out).text
    assert sftrecipe(tmp_path, "report", "plain", "--lang", "en").returncode == 0
    assert "Rows by step" in page(out).text


def test_hostile_rows_stay_text(tmp_path: Path) -> None:
    out = hostile_project(tmp_path)
    assert sftrecipe(tmp_path, "run", "recipe.yaml").returncode == 0
    parts = page(out)
    assert "<script>window.hacked=1;alert(1)</script>" in parts.text
    assert "<script>alert('d')</script>" in parts.text
    assert "{{ 7*7 }}" in parts.text
    assert "⟨U+202E⟩evil" in parts.text
    content = (out / "report.html").read_text(encoding="utf-8")
    assert not any(letter in content for letter in "\x00\x01\x08\x1b\x7f\x85\u202e\u2066\ufeff")
    assert len(content) < 500_000


def test_rows_lost_for_their_shape_are_shown(tmp_path: Path) -> None:
    lost: list[dict[str, Any]] = [
        {"instruction": 5, "output": ["a"]},
        {"messages": "not a list"},
        {"messages": [1, 2]},
        {"messages": [{"role": "user"}]},
        {"history": "x"},
    ]
    out = project(tmp_path, [*lost, {"instruction": "Rest?", "output": "Sleep well."}])
    assert sftrecipe(tmp_path, "run", "recipe.yaml").returncode == 0
    assert "not a list" in page(out).text
    for line in (out / "rejects.jsonl").read_text("utf-8").splitlines():
        name = json.loads(line)["row"]["id"]
        explained = sftrecipe(tmp_path, "explain", name)
        assert explained.returncode == 0, explained.stderr


def test_secrets_are_not_in_the_page(tmp_path: Path) -> None:
    rows = [{"instruction": f"my key is sk-live-0123456789 {n}", "output": "no"} for n in range(9)]
    out = project(tmp_path, rows, most=30)
    key = {"SOME_API_KEY": "sk-live-0123456789"}
    assert sftrecipe(tmp_path, "run", "recipe.yaml", **key).returncode == 0
    assert "my key is •••" in page(out).text
    told = sftrecipe(tmp_path, "report", "plain", "--json", **key).stdout
    assert "sk-live" not in (out / "report.html").read_text() + told


def test_a_providers_key_is_shown_as_the_recipe_writes_it(tmp_path: Path) -> None:
    with stand_in(*OPTIONS) as server:
        whole = Whole(tmp_path, server.url)
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace('api_key: ""', 'api_key: "${env:WHOLE_KEY}"'))
        environment = {"WHOLE_KEY": "very-private-value"}
        ran = sftrecipe(tmp_path, "run", "recipe.yaml", **environment)
        assert ran.returncode == 0, ran.stderr
        assert "${env:WHOLE_KEY}" in page(whole.out).text
        assert "very-private" not in (whole.out / "report.html").read_text()


def test_an_empty_run_says_so(tmp_path: Path) -> None:
    out = project(tmp_path, [{"instruction": "too long for it", "output": "a"}], most=3)
    assert sftrecipe(tmp_path, "run", "recipe.yaml").returncode == 1
    text = page(out).text
    assert "The run made no rows." in text
    assert "the same command would fail here again" in text and "What to do: change `max" in text


def test_a_failed_run_says_how_far_it_came(tmp_path: Path) -> None:
    with stand_in(*OPTIONS) as server:
        whole = Whole(tmp_path, server.url)
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(recipe.read_text().replace("on_shortage: scale", "on_shortage: error"))
        whole.run(status=1)
        text = page(whole.out).text
        assert "The run failed." in text and "would fail here again" in text
        assert "that the mix asks for" in text
        assert "Not reached: mix, export-llamafactory." in text
        assert whole.facts()["status"] == "failed"


def test_a_paused_run_says_so(tmp_path: Path) -> None:
    with stand_in(*OPTIONS) as server:
        whole = Whole(tmp_path, server.url)
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(recipe.read_text() + "budget: {max_calls: 8}\n")
        whole.run(status=3)
        text = page(whole.out).text
        assert "The run paused at its budget." in text and "raise the budget" in text
        assert "Not reached:" in text


def test_deleted_files_leave_what_is_known(tmp_path: Path) -> None:
    rows = [{"instruction": f"question {n}", "output": "a"} for n in range(20)]
    out = project(tmp_path, rows, most=10)
    assert sftrecipe(tmp_path, "run", "recipe.yaml").returncode == 0
    (out / "rejects.jsonl").unlink()
    assert sftrecipe(tmp_path, "report", "plain").returncode == 0
    assert "No examples: rejects.jsonl is not there." in page(out).text
    shutil.rmtree(tmp_path / ".sftrecipe" / "steps")
    assert sftrecipe(tmp_path, "report", "plain").returncode == 0
    text = page(out).text
    assert "no longer stored" in text
    assert "Rows by step" in text


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    project(tmp_path, [{"instruction": "a", "output": "b"}])
    for name in ("plain", "runs/plain"):
        told = sftrecipe(tmp_path, "report", name)
        assert told.returncode == 2
        assert f"error[no-such-run]: run '{name}' does not exist" in told.stderr
        assert "run a recipe first" in told.stderr
    told = sftrecipe(tmp_path, "report", "recipe.yaml")
    assert told.returncode == 2
    assert "error[not-run-yet]: recipe 'recipe.yaml' has not been run" in told.stderr
    assert "run it: sftrecipe run recipe.yaml" in told.stderr
    assert sftrecipe(tmp_path, "run", "recipe.yaml").returncode == 0
    assert "did you mean 'plain'?" in sftrecipe(tmp_path, "report", "plaine").stderr
    assert "one of: plain" in sftrecipe(tmp_path, "report", "else").stderr


def test_a_page_that_fails_does_not_fail_the_run(tmp_path: Path) -> None:
    out = project(tmp_path, [{"instruction": "a", "output": "b"}])
    assert sftrecipe(tmp_path, "run", "recipe.yaml").returncode == 0
    (out / "report.html").unlink()
    (out / "report.html").mkdir()
    ran = sftrecipe(tmp_path, "run", "recipe.yaml")
    assert ran.returncode == 0
    (out / "report.html").rmdir()
