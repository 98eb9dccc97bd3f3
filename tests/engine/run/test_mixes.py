"""The mix that comes out is the one that was asked for, as the real command makes it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sftrecipe_registry.mixers.weights.row_tokens import estimated_tokens, row_text

from ...support.plain_runs import Plain


def write(project: Plain, name: str, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (project.folder / name).write_text(text, "utf-8")


def mixed(project: Plain, mix: dict[str, Any], *export: dict[str, Any]) -> None:
    """The recipe that mixes `a` and `f`."""
    sources = {name: {"use": "jsonl", "path": f"{name}.jsonl"} for name in "af"}
    project.recipe(sources=sources, mix=mix, export=list(export or [{"use": "llamafactory"}]))


def exported(project: Plain, *names: str) -> list[dict[str, Any]]:
    return [row for name in names for row in json.loads((project.out / name).read_text())]


def said(project: Plain, language: str = "en") -> tuple[str, str]:
    """What a run that ends well says on stdout and stderr."""
    done = project.start("run", "recipe.yaml", SFTRECIPE_LANG=language)
    out, error = done.communicate(timeout=240)
    assert done.returncode == 0, error
    return out, error


def steps(project: Plain) -> dict[str, Any]:
    """The steps of the last run by id."""
    facts = json.loads((project.out / "run.json").read_text())
    return {step["id"]: step for step in facts["steps"]}


@pytest.fixture
def project(tmp_path: Path) -> Plain:
    """Forty good rows in `a`; in `f`, half of forty have their answers in another column."""
    made = Plain(tmp_path / "project")
    write(made, "a.jsonl", [{"instruction": f"a {n}", "output": "yes"} for n in range(40)])
    rows = [{"instruction": f"f {n}", ("output", "target")[n % 2]: "yes"} for n in range(40)]
    write(made, "f.jsonl", rows)
    return made


def test_shares_are_those_that_were_asked_for(project: Plain) -> None:
    mix = {"total": 60, "weights": {"a": 1, "f": 2}, "on_shortage": "scale"}
    held_out = {"use": "llamafactory", "with": {"holdout": 0.3}}
    mixed(project, mix, held_out, {"use": "jsonl", "with": {"name": "beside"}})
    out, error = said(project)
    assert "mix: 30 rows, 50 rejected (30 not_drawn, 20 no_answer)" in error
    assert out.count("66.7 % (asked 66.7 %)") == 2
    assert said(project, "zh")[0].count("占 66.7 %（要求 66.7 %）") == 2
    rows = exported(project, "plain.json", "plain_holdout.json")
    assert Counter(row["instruction"][0] for row in rows) == {"a": 10, "f": 20}
    assert {row["instruction"] for row in rows} == {
        row["instruction"] for row in project.data("beside.jsonl")
    }
    shares = steps(project)["export-llamafactory"]["notes"]["shares"]
    assert (shares["a"]["rows"], shares["f"]["rows"]) == (10, 20)
    assert sum(each["held_out"] for each in shares.values()) == len(
        exported(project, "plain_holdout.json")
    )


def test_a_stream_without_a_fit_row_stops_the_run(project: Plain) -> None:
    unfit = [{"input": f"f {n}", "output": None, "target": "yes"} for n in range(40)]
    write(project, "f.jsonl", unfit)
    mixed(project, {"total": 60, "weights": {"a": 1, "f": 2}, "on_shortage": "scale"})
    told = project.run(status=1)
    assert "error[mix-unfit]" in told
    assert "40 of the 40 rows of stream 'f' cannot be exported: 40 no_answer" in told
    assert "有 40 行无法导出" in project.run(status=1, SFTRECIPE_LANG="zh")
    rejects = [
        json.loads(line) for line in (project.out / "rejects.jsonl").read_text().splitlines()
    ]
    assert Counter((each["step"], each["reason"]) for each in rejects) == {("mix", "no_answer"): 40}
    assert not (project.out / "plain.json").exists()
    renamed = {
        "use": "jsonl",
        "path": "f.jsonl",
        "map": {"instruction": "input", "output": "target"},
    }
    recipe = json.loads((project.folder / "recipe.yaml").read_text())
    recipe["sources"]["f"] = renamed
    (project.folder / "recipe.yaml").write_text(json.dumps(recipe))
    project.run()
    shares = Counter(row["instruction"][0] for row in exported(project, "plain.json"))
    assert shares == {"a": 20, "f": 40}


def test_another_export_draws_the_mix_anew(project: Plain) -> None:
    mix = {"weights": {"a": 1, "f": 1}}
    mixed(project, mix, {"use": "jsonl"})
    project.run()
    assert len(project.data()) == 80
    before = steps(project)["mix"]["key"]
    mixed(project, mix)
    project.run()
    assert steps(project)["mix"]["key"] == before
    shares = Counter(row["instruction"][0] for row in exported(project, "plain.json"))
    assert shares == {"a": 20, "f": 20}


def test_exports_of_different_kinds_share_a_mix(project: Plain) -> None:
    write(project, "f.jsonl", [{"text": f"f {n}"} for n in range(40)])
    texts = {"use": "llamafactory", "with": {"formatting": "text", "name": "texts"}}
    mixed(project, {"weights": {"a": 1, "f": 1}}, {"use": "llamafactory"}, texts)
    project.run()
    assert len(exported(project, "plain.json")) == len(exported(project, "texts.json")) == 40


LOSSY = '''
from sftrecipe import Exporter
from sftrecipe.plugin import DataSet


class Lossy(Exporter):
    """Writes rows whose text is short, which it does not tell before."""

    def export(self, rows, to):
        """Write some of the rows."""
        kept = 0
        with to.create("lossy.txt") as file:
            for row in rows:
                if row.stream == "f" and len(row.columns["instruction"]) > 3:
                    to.reject(row, "too_long", 4.0)
                else:
                    file.write(row.id.encode() + b"\\n")
                    kept += 1
        return [DataSet("lossy", ("lossy.txt",), kept)]
'''


def test_an_exporter_that_changes_the_mix_is_an_error(project: Plain) -> None:
    package = project.folder / "third"
    (package / "lossy-1.0.dist-info").mkdir(parents=True)
    (package / "lossy.py").write_text(LOSSY)
    info = package / "lossy-1.0.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lossy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sftrecipe.exporters]\nlossy = lossy:Lossy\n")
    mixed(project, {"weights": {"a": 1, "f": 1}}, {"use": "lossy"})
    for _ in range(2):
        told = project.run(status=1, PYTHONPATH=str(package))
        assert "error[mix-missed]: export 'export-lossy' holds another mix" in told
        assert "'f' 20.0 % instead of 50.0 %" in told
    assert json.loads((project.out / "run.json").read_text())["status"] == "failed"


def tokens(rows: list[dict[str, Any]]) -> int:
    names = ("instruction", "output")
    return sum(estimated_tokens([row_text({name: row[name] for name in names}) for row in rows]))


def test_shares_of_tokens(project: Plain) -> None:
    long = [{"instruction": f"a {n}", "output": "many words " * (20 + n)} for n in range(40)]
    short = [{"instruction": f"f 第{n}个问题？", "output": "这是回答。"} for n in range(700)]
    write(project, "a.jsonl", long)
    write(project, "f.jsonl", short)
    mix = {"by": "tokens", "weights": {"a": 2, "f": 1}, "total": 60000, "on_shortage": "repeat"}
    mixed(project, mix)
    out, _ = said(project)
    assert "% of the tokens, estimated from the texts (asked 66.7 %)" in out
    rows = exported(project, "plain.json")
    parts = {name: [row for row in rows if row["instruction"][0] == name] for name in "af"}
    found = {name: tokens(each) for name, each in parts.items()}
    longest = max(tokens([row]) for row in long)
    whole = sum(found.values())
    assert abs(found["a"] - 2 * whole / 3) <= longest
    assert abs(whole - 60000) <= longest


def test_a_stream_of_which_no_row_is_short_enough_stops_the_run(project: Plain) -> None:
    write(project, "f.jsonl", [{"instruction": "f", "output": "many words " * 200}])
    mixed(project, {"by": "tokens", "weights": {"a": 1, "f": 1}, "total": 80})
    assert "no row of stream 'f' is as short as its 40 tokens" in project.run(status=1)


def test_rows_that_are_split_count_as_they_are_written(project: Plain) -> None:
    answers = [{"role": "assistant", "content": "b", "weight": n != 1} for n in range(3)]
    turns = [turn for each in answers for turn in ({"role": "user", "content": "f"}, each)]
    write(project, "f.jsonl", [{"messages": turns, "n": n} for n in range(40)])
    split = {"use": "llamafactory", "with": {"formatting": "sharegpt", "masked": "split"}}
    mixed(project, {"total": 20, "weights": {"a": 1, "f": 1}}, split)
    assert "'a' 10 rows, 33.3 % (asked 50.0 %); 'f' 20 rows, 66.7 %" in said(project)[0]


def test_what_no_mix_of_tokens_can_give_is_told_before(project: Plain) -> None:
    mixed(project, {"by": "tokens", "weights": {"a": 1, "f": 1}, "total": 10**6})
    assert "'mix' cannot be filled" in project.run("recipe.yaml", command="plan")
    mixed(project, {"weights": {"a": 1, "f": 1}, "tokenizer": "recipe.yaml"})
    assert "has nothing to count: weights are by rows" in project.run(
        "recipe.yaml", command="validate", status=2
    )
