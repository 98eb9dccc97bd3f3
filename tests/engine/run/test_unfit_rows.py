"""Rows that a prompt does not fit: each is lost alone, with its reason, and the rest goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

GOOD = [
    {"instruction": f"Question {n}?", "output": f"Answer {n}.", "about": {"name": f"topic {n}"}}
    for n in range(4)
]
UNFIT: dict[str, dict[str, Any]] = {
    "no key": {"about": {}},
    "no mapping": {"about": "text"},
    "null": {"about": {"name": None}},
    "no column": {},
}
PROMPT = "{{ instruction }} on {{ about.name }}"
BLOCKS: dict[str, dict[str, Any]] = {
    "text_generation": {"prompt": PROMPT},
    "text_generation system": {"prompt": "{{ instruction }}", "system": "On {{ about.name }}"},
    "respond": {"prompt": PROMPT, "replace": True},
    "respond system": {"system": "On {{ about.name }}", "replace": True},
    "rewrite": {"prompts": {"shorter": PROMPT}, "way": "shorter", "fields": ["output"]},
    "backtranslate": {"prompt": PROMPT, "field": "output"},
    "dialogue": {"system": "On {{ about.name }}", "turns": 1},
    "self_instruct": {
        "template": "Like {{ examples[0].instruction }} on {{ examples[0].about.name }}",
        "rounds": 1,
        "seeds_per_round": 5,
        "reply": "json",
        "repairs": 0,
    },
}
FILTERS: dict[str, dict[str, Any]] = {
    "rubric": {"prompt": PROMPT, "at_least": 1},
    "magpie_tags": {"quality": PROMPT, "tags": ["quality"], "on_failure": "drop"},
    "instag": {"prompt": PROMPT, "on_failure": "drop"},
}
SHOWN = "{{ first }} or {{ second }} on {{ about.name }}: two scores"
JUDGES: dict[str, dict[str, Any]] = {
    "pairwise": {"compare": ["teacher"], "prompt": SHOWN},
    "pairwise judge_system": {"compare": ["teacher"], "judge_system": "On {{ about.name }}"},
    "pairwise system": {"compare": ["teacher"], "system": "On {{ about.name }}"},
    "reference": {"models": ["teacher"], "system": "On {{ about.name }}"},
}


@pytest.fixture(scope="module")
def server() -> Any:
    with stand_in("--reply", "items") as running:
        yield running


def written(project: Whole, unfit: dict[str, Any], **sections: Any) -> None:
    """A recipe that reads four rows, and one between them that the prompts do not fit."""
    odd = {"instruction": "Odd question?", "output": "Odd answer.", **unfit}
    rows = [*GOOD[:2], odd, *GOOD[2:]]
    (project.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = {
        "version": 1,
        "name": "whole",
        "providers": {
            name: {"use": "openai", "base_url": project.url, "model": name, "api_key": ""}
            for name in ("teacher", "other", "judge")
        },
        "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl"}},
        "export": [{"use": "jsonl", "from": "rows"}],
        **sections,
    }
    (project.folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))


def lost(project: Whole, reason: str = "prompt_failed") -> list[dict[str, Any]]:
    text = (project.out / "rejects.jsonl").read_text()
    rejects = [json.loads(line) for line in text.splitlines()]
    return [each for each in rejects if each["reason"] == reason]


@pytest.mark.parametrize("kind", UNFIT)
def test_generators_reject_the_row_alone(tmp_path: Path, server: StandIn, kind: str) -> None:
    project = Whole(tmp_path / "project", server.url)
    blocks = [
        {
            "id": name.replace(" ", "_"),
            "use": name.partition(" ")[0],
            "from": "rows",
            "provider": "teacher",
            "with": options,
        }
        for name, options in BLOCKS.items()
    ]
    written(project, UNFIT[kind], generate=blocks)
    project.run()
    rejects = lost(project)
    assert {each["step"] for each in rejects} == {block["id"] for block in blocks}
    assert len(rejects) == len(blocks)
    for each in rejects:
        assert each["value"], each
        assert "Odd question?" in json.dumps(each["row"]["columns"]), each


@pytest.mark.parametrize("name", FILTERS)
def test_filters_reject_the_row_alone(tmp_path: Path, server: StandIn, name: str) -> None:
    project = Whole(tmp_path / "project", server.url)
    block = {"id": "judged", "use": name, "on": "rows", "provider": "judge", "with": FILTERS[name]}
    written(project, UNFIT["no key"], filter=[block], export=[])
    project.run()
    (reject,) = lost(project)
    assert reject["row"]["columns"]["instruction"] == "Odd question?"
    assert "'name'" in reject["detail"]


@pytest.mark.parametrize("name", ["magpie_tags", "instag"])
def test_taggers_keep_the_row(tmp_path: Path, server: StandIn, name: str) -> None:
    project = Whole(tmp_path / "project", server.url)
    options = FILTERS[name] | {"on_failure": "keep"}
    block = {"id": "judged", "use": name, "on": "rows", "provider": "judge", "with": options}
    written(project, UNFIT["no key"], filter=[block], export=[])
    outcome = project.run()
    assert lost(project) == []
    assert outcome["untagged"]["judged"]["prompt_failed"] == 1


def test_judges_leave_the_row_out(tmp_path: Path) -> None:
    with stand_in() as server:
        judged(Whole(tmp_path / "project", server.url))


def judged(project: Whole) -> None:
    blocks = [
        {
            "id": name.replace(" ", "_"),
            "use": name.partition(" ")[0],
            "on": "rows",
            **({} if name.startswith("reference") else {"provider": "judge"}),
            "with": options,
        }
        for name, options in JUDGES.items()
    ]
    written(project, UNFIT["no key"], evaluate=blocks)
    project.run()
    for block in blocks:
        notes = project.steps()[block["id"]]["notes"]
        assert notes["invalid"].get("prompt_failed") == 1, (block["id"], notes["invalid"])
