"""A stranger's recipe, and a stranger's server, by the real command."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.hostile.quoting_server import WAYS, quoting_server

KEY = "sk-proj-Ab12/Cd+34efGHijklMNOPqrst5678uvWXyz90"
HEAD = "version: 1\nname: t\nsources:\n  s: {use: jsonl, path: rows.jsonl}\n"
REGEX = HEAD + (
    "filter:\n  - {use: regex, on: s, with: {field: instruction, drop: ['PATTERN']}}\n"
    "export:\n  - {use: jsonl, from: s}\n"
)
ASKING = HEAD.replace("sources", "PROVIDERS\nsources") + (
    "generate:\n  - {id: g, use: respond, from: s, provider: p}\nexport:\n  - {use: jsonl}\n"
)


def project(folder: Path, recipe: str, *instructions: str) -> None:
    rows = [json.dumps({"instruction": each}) for each in instructions]
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")


def started(folder: Path, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "SFTRECIPE_LANG": "en", **environment},
    )  # fmt: skip


def told(folder: Path, *words: str, **environment: str) -> tuple[int, str, str]:
    """Status, stdout and stderr."""
    process = started(folder, *words, **environment)
    out, error = process.communicate(timeout=60)
    return process.returncode, out.decode(), error.decode()


def test_a_regex_that_does_not_end(tmp_path: Path) -> None:
    """A row that it is slow on is lost, the others and the run are not."""
    project(tmp_path, REGEX.replace("PATTERN", r"\s+$"), "a" + " " * 200_000 + "b", "good")
    status, _, error = told(tmp_path, "run", "recipe.yaml")
    assert status == 0, error
    folder = tmp_path / "runs" / "t"
    (reject,) = map(json.loads, (folder / "rejects.jsonl").read_text().splitlines())
    assert reject["reason"] == "search_too_long"
    assert json.loads((folder / "t.jsonl").read_text())["instruction"] == "good"


def test_a_regex_that_explodes(tmp_path: Path) -> None:
    project(tmp_path, REGEX.replace("PATTERN", r"(?:\w+\W?)*#"), "a" * 70)
    status, _, error = told(tmp_path, "plan", "recipe.yaml")
    assert status == 2
    assert "regex-explodes" in error


def test_re_is_the_language(tmp_path: Path) -> None:
    recipe = REGEX.replace("PATTERN", "(?:foo){e<=1}").replace("drop", "keep")
    project(tmp_path, recipe, "fxo bar", "foo{e<=1}")
    status, out, _ = told(tmp_path, "run", "recipe.yaml", "--json")
    assert status == 0
    (file,) = (tmp_path / "runs" / "t").glob("t.jsonl")
    assert [json.loads(line)["instruction"] for line in file.read_text().splitlines()] == [
        "foo{e<=1}"
    ]
    assert json.loads(out)


@pytest.mark.parametrize(("command", "number"), [("run", signal.SIGTERM), ("plan", signal.SIGINT)])
def test_signals_are_heard_in_a_search(
    tmp_path: Path, command: str, number: signal.Signals
) -> None:
    recipe = REGEX.replace("PATTERN", "a.*b.*c.*d.*e.*f$")
    project(tmp_path, recipe, *(f"{place} " + "abcde" * 70 for place in range(2000)))
    process = started(tmp_path, command, "recipe.yaml")
    deadline = time.monotonic() + 30
    while not (tmp_path / ".sftrecipe" / "steps").exists() and command == "run":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2.0)
    assert process.poll() is None
    sent = time.monotonic()
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert time.monotonic() - sent < 3, "a second, and what a loaded machine adds"
    assert process.returncode == 130, error
    assert b"interrupted" in error


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A project after a run against a server that quotes the key; all that was printed."""
    folder = tmp_path_factory.mktemp("leaking")
    with quoting_server() as url:
        provider = (
            f'providers:\n  p: {{use: openai, model: m, base_url: "{url}", '
            'api_key: "${env:QUOTED_KEY}", limits: {attempts: 1}}'
        )
        recipe = ASKING.replace("PROVIDERS", provider)
        printed = ""
        for status in (200, 400, 422):
            project(folder, recipe, *(f"{status} {way}" for way in (*WAYS, "control")))
            ended = told(
                folder, "--debug", "run", "recipe.yaml", "--out", str(status), QUOTED_KEY=KEY
            )
            printed += ended[1] + ended[2]
        more = [
            told(folder, *words, QUOTED_KEY=KEY)
            for words in (["doctor", "recipe.yaml"], ["ledger", "--json"])
        ]
    return folder, printed, "".join(each[1] + each[2] for each in more)


def _pieces(text: str) -> set[str]:
    text = text.casefold() + text.casefold().replace(" ", "")
    key = KEY.casefold()
    return {key[at : at + 9] for at in range(len(key) - 8) if key[at : at + 9] in text}


def test_no_key_is_kept_or_printed(leaking: tuple[Path, str, str]) -> None:
    folder, printed, more = leaking
    assert not _pieces(printed + more)
    for file in folder.rglob("*"):
        if file.is_file() and ".sqlite" not in file.name and file.suffix != ".parquet":
            assert not _pieces(file.read_text("utf-8", "replace")), file
    with sqlite3.connect(folder / ".sftrecipe" / "ledger.sqlite") as ledger:
        rows = ledger.execute("SELECT reply, finish, error, raw FROM calls").fetchall()
    assert len(rows) == 3 * (len(WAYS) + 1)
    assert not _pieces(repr(rows))
    coded = KEY.encode().hex(), KEY[:5] + "****"
    assert not any(each in repr(rows) for each in coded[:1])


def test_control_characters_reach_no_terminal(leaking: tuple[Path, str, str]) -> None:
    folder, printed, more = leaking
    rows = [
        json.loads(line)
        for line in (folder / "200" / "t.jsonl").read_text("utf-8").split("\n")[:-1]
    ]
    assert rows[-1]["output"].startswith("\x1b[31mred")  # data stays what it was
    for words in (["explain", "200 control", "--run", "200"], ["report", "200", "--json"]):
        status, out, error = told(folder, *words)
        assert status == 0, error
        assert "red\\u0007\\u009b2J" in out or words[0] == "report"
        printed += out + error
    for bad in ("\x1b", "\x07", "\x9b", "\u202e", "\x00"):
        assert bad not in printed + more


@pytest.mark.parametrize(
    ("encoding", "language"), [("gbk", "zh"), ("ascii", "zh"), ("latin-1", "en")]
)
def test_any_encoding_of_the_terminal(tmp_path: Path, encoding: str, language: str) -> None:
    recipe = HEAD + '"中文　键🙂\\e[31m": 1\nexport:\n  - {use: jsonl, from: s}\n'
    project(tmp_path, recipe, "x")
    for words in (["validate", "recipe.yaml"], ["validate", "recipe.yaml", "--json"]):
        process = started(tmp_path, *words, PYTHONIOENCODING=encoding, SFTRECIPE_LANG=language)
        out, error = process.communicate(timeout=60)
        assert process.returncode == 2, error
        text = (out + error).decode(encoding)
        assert "\x1b" not in text
        assert "Traceback" not in text
        if "--json" in words:
            facts = json.loads(out.decode(encoding))
            assert "中文　键🙂" in json.dumps(facts, ensure_ascii=False)
        elif encoding not in ("ascii", "latin-1"):
            assert "中文" in text
