"""What `plan` says of a whole recipe, held against the run that follows, both by the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.standin import StandIn, stand_in

PAID = {"input": 1000, "output": 3000, "currency": "USD"}
FREE = {"input": 0, "output": 0}
JUDGED = {"id": "judged", "use": "pairwise", "provider": "judge", "with": {"compare": ["a"]}}
ANSWER = {"id": "g", "use": "respond", "from": "s", "provider": "a", "with": {"max_tokens": 50}}
MIXER = '''
"""Mixers of a third party, whose options have names of their own meaning."""
from typing import Any

from sftrecipe import Mixer
from sftrecipe.plugin import Mix, Pick


class Everything(Mixer):
    """All rows of all streams."""

    total: Any = "all"
    """Not the number of rows."""
    streams: tuple[str, ...] = ()
    """What is mixed."""

    def wanted(self):
        return dict.fromkeys(self.streams, 1.0)

    def mix(self, streams, ctx):
        rows = [Pick(name, at) for name in streams for at in range(len(streams[name]))]
        return Mix(rows)


class Crashing(Everything):
    """The same, and its estimate fails."""

    def expected(self, rows):
        return rows["nobody"]


class Odd(Everything):
    """The same, and what it says is no range."""

    told: Any = None
    """What it says."""

    def expected(self, rows):
        return tuple(self.told) if isinstance(self.told, list) else self.told
'''


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


class Project:
    """A folder with a recipe, and the commands in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        (folder / ".sftrecipe").mkdir()
        info = folder / "third" / "third-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[sftrecipe.mixers]\neverything = third:Everything\ncrashing = third:Crashing\n"
            "odd = third:Odd\n"
        )
        (folder / "third" / "third.py").write_text(MIXER)

    def provider(self, model: str, **more: Any) -> dict[str, Any]:
        return {"use": "openai", "base_url": self.url, "model": model, "api_key": "", **more}

    def write(self, rows: int = 40, **sections: Any) -> None:
        lines = [
            json.dumps({"instruction": f"What helps against pain number {n}?", "output": "Rest."})
            for n in range(rows)
        ]
        (self.folder / "a.jsonl").write_text("\n".join(lines) + "\n")
        recipe = {
            "version": 1,
            "name": "planned",
            "providers": {
                "a": self.provider("a", price=FREE),
                "b": self.provider("b", price=FREE),
                "judge": self.provider("judge", price=PAID),
            },
            "sources": {"s": {"use": "jsonl", "path": "a.jsonl"}},
            "generate": [{**ANSWER, "with": {"max_tokens": 50, "replace": True}}],
            "mix": {"weights": {"g": 1, "s": 1}, "on_shortage": "scale"},
            "export": [{"use": "llamafactory", "with": {"holdout": 0.25}}],
            "evaluate": [JUDGED],
            **sections,
        }
        present = {name: value for name, value in recipe.items() if value is not None}
        (self.folder / "recipe.yaml").write_text(yaml.safe_dump(present))

    def told(self, *words: str, language: str = "en") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "sftrecipe.cli.main", *words],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=120,
            env={
                **os.environ,
                "SFTRECIPE_LANG": language,
                "PYTHONPATH": str(self.folder / "third"),
            },
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def plan(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.told("plan", "recipe.yaml", "--json"))
        return facts | {"steps": {step["id"]: step for step in facts["steps"]}}

    def run(self) -> dict[str, Any]:
        """What the run's steps came to, by id: calls, tokens and cost of all providers."""
        self.told("run", "recipe.yaml")
        run = json.loads((self.folder / "runs/planned/run.json").read_text())
        return {step["id"]: step for step in run["steps"]}


def sums(step: dict[str, Any]) -> dict[str, float]:
    used = step["calls"].values()
    return {
        "calls": sum(each["asked"] + each["cached"] for each in used),
        "tokens": sum(each["input_tokens"] + each["output_tokens"] for each in used),
        "cost": sum(each["cost"] for each in used),
    }


def likely_ratios(planned: dict[str, Any], fact: dict[str, Any]) -> dict[str, float]:
    """What was likely, over what came, of a step that asks."""
    came = sums(fact)
    likely = {
        "calls": planned["expected_calls"],
        "tokens": planned["likely"]["tokens"],
        "cost": planned["likely"]["cost"].get("USD", 0),
    }
    return {name: likely[name] / came[name] for name in came if came[name]}


def within(value: float, limits: list[float | None]) -> bool:
    return (
        limits[0] is not None and limits[0] <= value and (limits[1] is None or value <= limits[1])
    )


SHAPES: dict[str, dict[str, Any]] = {
    "a share behind a mix": {},
    "a number behind a mix": {"export": [{"use": "llamafactory", "with": {"holdout": 8}}]},
    "a share of a source": {
        "generate": None, "mix": None,
        "export": [{"use": "llamafactory", "with": {"holdout": 0.5}}],
    },
    "two exports": {
        "export": [
            {"id": "plain", "use": "jsonl"},
            {"id": "first", "use": "llamafactory", "with": {"holdout": 6}},
            {"id": "second", "use": "llamafactory", "with": {"holdout": 20, "name": "other"}},
        ]
    },
    "a total": {"mix": {"weights": {"g": 3, "s": 1}, "total": 32, "on_shortage": "scale"}},
    "rows that repeat": {
        "generate": None,
        "mix": {"weights": {"s": 1}, "total": 200, "on_shortage": "repeat"},
        "export": [{"use": "llamafactory", "with": {"holdout": 7}}],
    },
    "somebody's mixer": {"mix": {"use": "everything", "streams": ["g", "s"]}},
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_paid_judge_is_foreseen(tmp_path: Path, server: StandIn, shape: str) -> None:
    project = Project(tmp_path, server.url)
    project.write(**SHAPES[shape])
    planned = project.plan()
    judged = planned["steps"]["judged"]
    (paid,) = (each for each in judged["asks"] if each["provider"] == "judge")
    assert paid["likely"]["cost"] > 0
    assert paid["cost"][1] > paid["likely"]["cost"] > paid["cost"][0]
    assert planned["total"]["likely"]["cost"]["USD"] == pytest.approx(paid["likely"]["cost"])
    facts = project.run()
    fact, came = facts["judged"], sums(facts["judged"])
    assert within(fact["made"], judged["rows"]), (fact["made"], judged["rows"])
    for name in ("calls", "tokens"):
        assert within(came[name], judged[name]), (name, came, judged[name])
    assert within(came["cost"], judged["cost"]["USD"])
    ratios = likely_ratios(judged, fact)
    assert 0.5 <= ratios["calls"] <= 2, ratios
    for step, made in (("g", "kept"), ("mix", "made")):
        if step in planned["steps"] and step in facts:
            count = facts[step]["notes"].get("written", facts[step][made])
            assert within(count, planned["steps"][step]["rows"]), step
    again = project.plan()["total"]
    assert (again["calls"], again["cost"], again["likely"]["asked"]) == ([0, 0], {}, 0)


def test_what_is_likely_stands_beside_the_bounds(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    project.write()
    assert "likely" in project.told("plan", "recipe.yaml").splitlines()[-1]
    assert "可能" in project.told("plan", "recipe.yaml", language="zh").splitlines()[-1]


def test_earlier_calls_tell_what_is_likely(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    project.write(20)
    project.run()
    project.write(80)
    planned = project.plan()["steps"]
    assert planned["judged"]["asks"][-1]["output_basis"] == "ledger"
    facts = project.run()
    for step in ("g", "judged"):
        for name, ratio in likely_ratios(planned[step], facts[step]).items():
            assert 0.5 < ratio < 2, (step, name, ratio)


def test_a_number_of_held_out_rows_is_that_number(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    project.write(generate=None, mix=None, export=[{"use": "llamafactory", "with": {"holdout": 4}}])
    judged = project.plan()["steps"]["judged"]
    assert (judged["rows"], judged["expected_calls"]) == ([4, 4], 12)


def test_a_share_of_held_out_rows_is_that_share(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    export = [{"use": "llamafactory", "with": {"holdout": 0.1}}]
    project.write(1000, generate=None, mix=None, export=export)
    judged = project.plan()["steps"]["judged"]
    assert judged["expected_rows"] == 100
    assert 60 < judged["rows"][0] < 100 < judged["rows"][1] < 140


def test_a_provider_that_the_dry_run_does_not_come_to(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    talk = {"use": "dialogue", "from": "s", "provider": "a", "with": {"turns": 2, "user": "b"}}
    project.write(3, generate=[{"id": "g", **talk}], mix=None, export=None, evaluate=None)
    assert project.plan()["steps"]["g"]["calls"][1] >= 9


@pytest.mark.parametrize(
    "told", [None, 5, [1], ["a", "b"], [3, 1], [-1, 4], [1.5, 2], [0, 1, 2]], ids=str
)
def test_an_estimate_that_is_no_range_tells_nothing(
    told: Any, tmp_path: Path, server: StandIn
) -> None:
    project = Project(tmp_path, server.url)
    mix = {"use": "odd", "streams": ["s"], "told": told}
    project.write(3, generate=None, mix=mix, evaluate=None)
    assert project.plan()["steps"]["mix"]["rows"] == [0, None]


def test_a_mix_that_cannot_be_filled_is_told_before_anything_is_paid(
    tmp_path: Path, server: StandIn
) -> None:
    project = Project(tmp_path, server.url)
    project.write(12, mix={"weights": {"g": 1, "s": 1}, "total": 500}, evaluate=None)
    assert project.plan()["steps"]["mix"]["rows"] == [0, 0]
    for command, code in (("plan", 0), ("run", 1)):
        done = subprocess.run(
            [sys.executable, "-m", "sftrecipe.cli.main", command, "recipe.yaml"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == code
        assert "warning: 'mix' cannot be filled" in done.stderr, done.stderr


def test_a_mixer_whose_estimate_fails(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    project.write(mix={"use": "crashing", "streams": ["g", "s"]})
    assert project.plan()["steps"]["mix"]["rows"] == [0, None]


def test_a_price_that_is_not_known_is_never_nothing(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    providers = {
        "a": project.provider("a", price=FREE),
        "b": project.provider("b", price=FREE),
        "judge": project.provider("nobody-knows-its-price"),
    }
    project.write(providers=providers)
    lines = project.told("plan", "recipe.yaml").splitlines()
    for line in (lines[-1], next(line for line in lines if line.startswith("judged"))):
        assert line.rstrip().endswith("price unknown")
        assert "0.00" not in line
    total = project.plan()["total"]
    assert total["unpriced"] == ["judge"]


def test_a_filter_keeps_what_it_kept_before(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    pattern = {"id": "some", "use": "regex", "on": "g", "with": {"field": "instruction"}}
    pattern["with"]["keep"] = ["number [1-3]"]  # type: ignore[index]
    project.write(filter=[pattern], evaluate=None)
    first = project.plan()["steps"]["some"]
    assert first["expected_rows"] == 40
    kept = project.run()["some"]["kept"]
    project.write(80, filter=[pattern], evaluate=None)
    again = project.plan()["steps"]["some"]
    assert again["expected_rows"] == pytest.approx(2 * kept, abs=1)


def test_a_sweep_of_a_second_holdout(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    first, second = (
        {"id": name, "use": "llamafactory", "from": "s", "with": {"name": name, "holdout": 1}}
        for name in ("first", "second")
    )
    options = {"model_name_or_path": "org/m", "template": "qwen", "finetuning_type": "lora"}
    train = {"use": "llamafactory", "on": "second", "with": {"stage": "sft", **options}}
    judge = {"id": "near", "use": "reference", "with": {"models": ["a"]}}
    sweep = {"metric": "near.a_bleu_2", "goal": "higher"}
    given = {"generate": None, "mix": None, "export": [first, second], "train": train}
    over = {"export.second.with.holdout": [1, 2]}
    project.write(**given, evaluate=[judge], sweep={"over": over, **sweep})
    assert "ok" in project.told("validate", "recipe.yaml")
    over = {"export.first.with.holdout": [1, 2]}
    project.write(**given, evaluate=[judge], sweep={"over": over, **sweep})
    with pytest.raises(AssertionError, match="sweep-questions"):
        project.told("validate", "recipe.yaml")


def test_a_large_source_and_a_folder_are_foreseen(tmp_path: Path, server: StandIn) -> None:
    project = Project(tmp_path, server.url)
    lines = (
        json.dumps({"instruction": f"{n} " + "What helps against pain? " * 80, "output": "Rest."})
        for n in range(17_000)
    )
    (tmp_path / "large.jsonl").write_text("\n".join(lines))
    (tmp_path / "texts").mkdir()
    for n in range(3):
        (tmp_path / "texts" / f"{n}.md").write_text("# Pain\n\n" + "It ends by itself. " * 40)
    large = {"use": "jsonl", "path": "large.jsonl"}
    texts = {"use": "markdown", "path": "texts"}
    paid = {**ANSWER, "from": "large", "provider": "judge", "with": {"replace": True}}
    cut = {"id": "cut", "use": "chunk", "from": "texts"}
    project.write(
        sources={"large": large, "texts": texts}, generate=[paid, cut], mix=None,
        export=[{"use": "jsonl", "from": ["g", "cut"]}], evaluate=None,
    )  # fmt: skip
    planned = project.plan()
    assert planned["steps"]["large"]["expected_rows"] == pytest.approx(17_000, rel=0.05)
    assert planned["steps"]["g"]["rows"] == [0, None]
    assert planned["total"]["likely"]["cost"]["USD"] > 100
    assert planned["steps"]["cut"]["rows"] == [6, 6]
