"""`explain` finds rows by words, ids, and lines of exported files, and tells what it looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner

from sftrecipe.cli.main import cli

RECIPE = """\
version: 1
name: 找行
sources: {问答: {use: jsonl, path: rows.jsonl}}
filter: [{use: length, on: 问答, with: {field: output, max_chars: 30}}]
export:
  - {use: llamafactory, with: {ids: true}}
  - {use: jsonl, with: {name: plain}}
  - {use: jsonl, with: {name: named, ids: true}}
"""
ROWS = [
    {"instruction": "头痛三天怎么办？", "output": "多休息，<多喝水>。"},
    {"instruction": "头痛伴发热", "output": "请及时就医\u2028。", "id": "own"},
    {"instruction": "牙疼", "output": "看牙医 😀"},
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("找行")
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    assert command(folder, "run", "recipe.yaml", "-q").returncode == 0
    return folder


def command(folder: Path, *words: str) -> CompletedProcess[str]:
    given = {**os.environ, "SFTRECIPE_LANG": "en", "SFTRECIPE_PROJECT": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder, env=given, capture_output=True, text=True, check=False,
    )  # fmt: skip


def explained(*words: str) -> str:
    """What `explain` prints, in this process. It must end well."""
    done = CliRunner(env={"SFTRECIPE_LANG": "en"}).invoke(cli, ["explain", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_rows_and_lines_are_found(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("SFTRECIPE_PROJECT", str(project))
    assert "2 rows hold '头痛'; explain one: sftrecipe explain " in explained("头痛")
    found = json.loads(explained("头痛", "--json"))["found"]
    assert [each["text"] for each in found] == [row["instruction"] for row in ROWS[:2]]
    name = found[1]["id"]
    out = project / "runs" / "找行"
    lines = {"找行.json": 3, "plain.jsonl": 2, "named.jsonl": 2}
    for told in (
        explained(name),
        explained(name[:6]),
        *(explained(f"{out / file}:{line}") for file, line in lines.items()),
    ):
        assert told.splitlines()[:2] == ["问答  rows.jsonl:2", f"[{name}]"]
    assert json.loads((out / "找行.json").read_text("utf-8"))[1]["id"] == name
    assert json.loads((out / "named.jsonl").read_text("utf-8").split("\n")[1])["row_id"] == name


def test_chinese_is_readable_in_what_is_written(project: Path) -> None:
    for file in sorted(path for path in project.rglob("*.json*") if path.is_file()):
        assert "\\u5934" not in file.read_text("utf-8"), file
    written = (project / "runs" / "找行" / "plain.jsonl").read_bytes()
    assert [json.loads(line) for line in written.splitlines()] == ROWS


def test_what_was_looked_at_and_what_is_near(project: Path) -> None:
    told = command(project, "explain", "头疼伴发热")
    assert told.returncode == 2
    assert "(searched: 3 rows of 问答)" in told.stderr
    assert "头痛伴发热" in told.stderr
    assert "牙疼" not in told.stderr
    beyond = command(project, "explain", str(project / "runs" / "找行" / "plain.jsonl") + ":9")
    assert "line 9 of" in beyond.stderr
