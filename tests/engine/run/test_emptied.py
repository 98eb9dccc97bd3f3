"""Runs that end with no row to export: which step lost them, why, and what to change."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.support.standin import StandIn, stand_in

from sftrecipe.plugin.discovery import KINDS, plugin_class, plugins

ROWS = [{"instruction": f"Ask {n}?", "output": f"Say {n}."} for n in range(6)]
SOURCE = "sources: {rows: {use: jsonl, path: rows.jsonl}, none: {use: jsonl, path: none.jsonl}}\n"
EXPORT = "export: [{use: llamafactory, with: {formatting: alpaca}}]\n"
SHORT = "{id: long, use: length, on: ON, with: {field: output, min_chars: 20, max_chars: 99}}"
ASKS = """\
providers: {teacher: {use: openai, base_url: "URL", model: stand-in, api_key: ""}}
generate:
  - {id: answered, use: respond, from: rows, provider: teacher, with: {replace: true}}
"""
SOME = "{id: some, use: regex, on: ON, with: {field: FIELD, drop: ['[0-3]']}}"


class Way(NamedTuple):
    """A way to end with nothing."""

    recipe: str
    by: str
    """The step that is told."""
    told: tuple[str, ...]
    rejects: int = 0
    rows: Any = ROWS


WAYS = {
    "filtered": Way(
        f"{SOURCE}filter: [{SHORT.replace('ON', 'rows')}]\n{EXPORT}",
        "long",
        ("6 too_short (6 chars:", "Ask 0?", "`min_chars: 20`", "recipe.yaml:4:10"),
        6,
    ),
    "filtered twice": Way(
        f"{SOURCE}filter:\n  - {SOME.replace('ON', 'rows').replace('FIELD', 'output')}\n"
        f"  - {SHORT.replace('ON', 'rows')}\n{EXPORT}",
        "long",
        ("2 too_short", "before it went: 'some' 4", "`min_chars: 20`"),
        6,
    ),
    "two exports": Way(
        f"{SOURCE}filter: [{SHORT.replace('ON', 'rows')}]\n"
        "export: [{use: jsonl}, {use: llamafactory, with: {formatting: alpaca}}]\n",
        "long",
        ("step 'export-jsonl' has no row", "6 too_short"),
        6,
    ),
    "empty source": Way(SOURCE + EXPORT, "rows", ("gave no row", "`path: rows.jsonl`"), 0, []),
    "source of other things": Way(
        SOURCE + EXPORT,
        "rows",
        ("2 wrong_type", "`path: rows.jsonl`"),
        2,
        [{"instruction": 3, "output": "a"}, {"instruction": 4, "output": "b"}],
    ),
    "a stream of the mix": Way(
        f"{SOURCE}mix: {{weights: {{rows: 1, none: 1}}, on_shortage: scale}}\n{EXPORT}",
        "none",
        ("step 'mix' has no row", "source 'none' gave no row", "`path: none.jsonl`"),
    ),
    "a stream of the mix, filtered": Way(
        SOURCE.replace("none: ", "pieces: {use: jsonl, path: rows.jsonl}, none: ")
        + f"filter:\n  - {SOME.replace('ON', '[rows, pieces]').replace('FIELD', 'instruction')}\n"
        f"  - {SHORT.replace('ON', 'pieces')}\n"
        f"mix: {{weights: {{rows: 1, pieces: 1}}}}\n{EXPORT}",
        "long",
        ("step 'mix' has no row", "2 too_short", "`min_chars: 20`", "'some' 4"),
        10,
    ),
    "held out": Way(
        SOURCE + EXPORT.replace("alpaca", "alpaca, holdout: 100"),
        "export-llamafactory",
        ("all 6 rows are held out", "`holdout: 100`"),
    ),
    "held out, said in a mapping": Way(
        SOURCE + EXPORT.replace("alpaca", "alpaca, holdout: {share: 100}"),
        "export-llamafactory",
        ("all 6 rows are held out", "`holdout: {share: 100}`"),
    ),
    "held out none": Way(
        'providers: {m: {use: openai, base_url: "http://127.0.0.1:9/v1", model: m, api_key: ""}}\n'
        + SOURCE
        + EXPORT.replace("alpaca", "alpaca, holdout: 0.001")
        + "evaluate: [{id: judged, use: reference, with: {models: [m]}}]\n",
        "export-llamafactory",
        ("'judged'", "holds out none of its 6 rows", "`holdout: 0.001`"),
    ),
    "not exportable": Way(
        SOURCE + EXPORT,
        "export-llamafactory",
        ("3 empty_prompt", "`keep`"),
        3,
        [{"instruction": "", "output": "x"}] * 3,
    ),
}


@pytest.fixture(params=list(WAYS))
def way(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Way, Path]:
    """A project that ends with nothing."""
    found = WAYS[request.param]
    write(tmp_path, found.recipe, found.rows)
    return found, tmp_path


def write(folder: Path, recipe: str, rows: Any = ROWS) -> None:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "none.jsonl").write_text("")
    (folder / "dataset_info.json").write_text("{}")
    (folder / "recipe.yaml").write_text(f"version: 1\nname: x\n{recipe}")


def said(folder: Path, *words: str, language: str = "en") -> subprocess.CompletedProcess[str]:
    """What the command says."""
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "SFTRECIPE_LANG": language},
    )  # fmt: skip


def test_what_lost_the_rows_is_told(way: tuple[Way, Path]) -> None:
    wanted, folder = way
    for language in ("zh", "en"):
        done = said(folder, "run", "recipe.yaml", language=language)
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr and "internal" not in done.stderr
        assert f"'{wanted.by}'" in done.stderr
        if language == "en":
            assert all(each in done.stderr for each in wanted.told), done.stderr
        else:
            assert "没有" in done.stderr and "提示：请" in done.stderr
    out = folder / "runs" / "x"
    facts = json.loads((out / "run.json").read_text())
    assert facts["status"] == "failed"
    assert facts["emptied"][0]["step"] == wanted.by
    assert sum(facts["emptied"][0]["reasons"].values()) <= wanted.rejects
    rejects = (out / "rejects.jsonl").read_text().splitlines()
    assert len(rejects) == wanted.rejects
    assert not wanted.rejects or str(out / "rejects.jsonl") in done.stderr
    assert (out / "report.html").exists()


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as found:
        yield found


@pytest.mark.parametrize(
    ("fault", "told"),
    [("refused", "6 refused"), ("400", "6 call_failed")],
)
def test_a_model_that_gives_nothing(tmp_path: Path, server: StandIn, fault: str, told: str) -> None:
    write(tmp_path, ASKS.replace("URL", server.url) + SOURCE + EXPORT)
    server.fail(fault, seconds=60)
    done = said(tmp_path, "run", "recipe.yaml")
    assert done.returncode == 1
    assert told in done.stderr and "step 'answered' rejected the last 6" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("fault", "told", "change"),
    [
        ("aborted", "6 cut_off (abort:", "change step 'answered'"),
        ("thinking", "6 cut_off (the thought took all of max_tokens:", "change `max_tokens`"),
    ],
)
def test_no_option_is_named_for_what_the_server_did(
    tmp_path: Path, server: StandIn, fault: str, told: str, change: str
) -> None:
    write(tmp_path, ASKS.replace("URL", server.url) + SOURCE + EXPORT)
    server.fail(fault, seconds=60)
    done = said(tmp_path, "run", "recipe.yaml")
    assert told in done.stderr and change in done.stderr, done.stderr


def test_options_that_decide_a_reason_exist() -> None:
    for kind in KINDS:
        for name in plugins(kind):
            found = plugin_class(kind, name)
            options = {option for each in found.decides.values() for option in each}
            assert options <= found.model_fields.keys(), name
