"""A step that decides at its end tells how far it is all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.odd_server import Sent, odd_server

from sftrecipe import messages
from sftrecipe.api import progress_display, step_pace
from sftrecipe.cli.main import cli
from sftrecipe.run.progress import Spending
from sftrecipe_registry.shared.models import model_fetch

RECIPE = """\
version: 1
name: told
providers:
  p: {{use: openai, base_url: "{url}", model: m, api_key: ""}}
sources: {{rows: {{use: jsonl, path: rows.jsonl}}}}
filter:
  - {{id: few, use: superfilter, provider: p, with: {{rate: 1.0}}}}
export:
  - {{use: jsonl}}
"""


def _embedding(said: str, before: int) -> Sent:
    vector = [float(len(said)), 1.0, float(before)]
    body = {"data": [{"index": 0, "embedding": vector}], "usage": {"prompt_tokens": 3}}
    return Sent(200, json.dumps(body).encode())


def test_rows_looked_at_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_display, "_EVERY", 0.0)
    monkeypatch.setenv("SFTRECIPE_PROJECT", str(tmp_path))
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    rows = [{"instruction": f"a question {number}", "output": "so"} for number in range(3)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with odd_server(_embedding) as server:
        (tmp_path / "recipe.yaml").write_text(RECIPE.format(url=server.url))
        done = CliRunner().invoke(cli, ["run", str(tmp_path / "recipe.yaml")])
    assert done.exit_code == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("few (2/3): ")]
    assert told == [f"few (2/3): {count}/3" for count in (1, 2, 3)]


def test_pace_time_left_and_money(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(step_pace.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr("sftrecipe.messages.user_language", lambda: "en")
    pace = step_pace.StepPace(400, lambda: Spending(0.123, "USD", 5.0))
    for second in range(1, 5):
        clock[0] = float(second)
        pace.moved(30 * second, second)
    parts = ["120/400", "about 9 s left", "0.12 of 5 USD", "4 rejected", "30/s"]
    assert pace.parts() == parts
    assert step_pace.fitting(["ask (2/3)", *parts], 40) == "ask (2/3)  120/400  about 9 s left"
    assert step_pace.fitting(["回答", *parts], 3) == "回答"
    unknown = step_pace.StepPace(None, lambda: Spending(0.0, None))
    unknown.moved(7)
    assert unknown.parts() == ["7"]


@pytest.mark.parametrize("variable", ["TERM", "CI"])
def test_plain_lines_where_nothing_can_be_drawn(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert progress_display._is_live()
    monkeypatch.setenv(variable, "dumb" if variable == "TERM" else "true")
    with progress_display.show_progress(quiet=False) as progress:
        progress.line("told")
    assert capsys.readouterr().err == "told\n"


@pytest.mark.parametrize("live", [False, True])
def test_lines_of_plugins_are_told_in_the_language_of_the_user(
    live: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SFTRECIPE_LANG", "zh")
    monkeypatch.setattr(progress_display, "_is_live", lambda: live)
    messages.user_language.cache_clear()
    with progress_display.show_progress(quiet=False) as progress:
        progress.line(model_fetch.texts("waits", folder="/m"))
    messages.user_language.cache_clear()
    told = capfd.readouterr().err
    assert "等待中" in told and "waiting" not in told
