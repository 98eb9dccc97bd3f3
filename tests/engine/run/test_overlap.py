"""Steps through which rows go at their own pace leave what they leave one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.standin import StandIn, stand_in

from sftrecipe import Recipe, SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.plugin_kinds import Verdict
from sftrecipe.record import Record
from sftrecipe.run.execution.plan_execution import Execution
from sftrecipe.store.artifacts import FACTS
from sftrecipe.store.judged_row import judged_row
from sftrecipe.store.rows import RowWriter, as_read, stored
from sftrecipe.store.streams import Judged, Stream, VerdictWriter

ODD = (HealthCheck.function_scoped_fixture,)
OF_ITSELF = ("seconds", "seal", "calls")
"""What a step says of itself that no two runs have alike."""


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    with stand_in("--delay", 0.03, "--jitter", 0.9) as server:
        yield server


def written(folder: Path, server: StandIn, **more: Any) -> Path:
    """A project: a chain that forks, filters between, one that asks, and one that sees all rows."""
    folder.mkdir(parents=True)
    (folder / ".sftrecipe").mkdir()
    rows = [{"instruction": f"Question {n}? " + "More. " * (n % 7)} for n in range(24)]
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = {"use": "respond", "provider": "teacher"}
    again = {"replace": True, "prompt": "Again: {{ output }}"}
    recipe = {
        "version": 1,
        "name": "overlap",
        "providers": {
            name: {"use": "openai", "base_url": server.url, "model": name, "api_key": ""}
            for name in ("teacher", "judge")
        },
        "sources": {"seeds": {"use": "jsonl", "path": "seeds.jsonl"}},
        "generate": [
            {"id": "first", "from": "seeds", **asked},
            {"id": "pieces", "from": "first", "use": "chunk"}
            | {"with": {"field": "instruction", "max": 20, "min_paragraph": 0}},
            {"id": "second", "from": "first", **asked, "with": again},
            {"id": "third", "from": "second", **asked, "with": again},
        ],
        "filter": [
            {"id": "short", "use": "length", "on": "first"}
            | {"with": {"field": "instruction", "max_chars": 40}},
            {"id": "good", "use": "magpie_tags", "on": "second", "provider": "judge"},
            {"id": "once", "use": "exact_dedup", "on": "third"},
        ],
        "mix": {"weights": {"third": 1}},
        "export": [
            {"use": "jsonl"},
            {"id": "bits", "use": "jsonl", "from": "pieces", "with": {"name": "bits"}},
        ],
    }
    file = folder / "recipe.yaml"
    file.write_text(yaml.safe_dump(recipe | more))
    return file


def left_by(file: Path) -> dict[str, Any]:
    """Every file of every step and every data set."""
    steps = (file.parent / ".sftrecipe" / "steps").glob("*/*/*")
    found: dict[str, Any] = {
        f"{path.parent.name}/{path.name}": path.read_bytes() for path in steps if path.is_file()
    }
    for name in [name for name in found if name.endswith(FACTS)]:
        facts = json.loads(found[name])
        for data_set in facts["notes"].get("data_sets", ()):
            del data_set["files"]  # with the times of their writing
        found[name] = {key: facts[key] for key in facts if key not in OF_ITSELF}
    out = file.parent / "runs" / "overlap"
    return found | {path.name: path.read_bytes() for path in out.glob("*.jsonl")}


def one_by_one(execution: Execution, first: Step, waiting: Sequence[Step]) -> Sequence[Step]:
    return [first]


def test_the_same_bytes(server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlapped, plain = (written(tmp_path / name, server) for name in ("overlapped", "plain"))
    made = Recipe.load(overlapped).run(out=overlapped.parent / "runs" / "overlap")
    assert 0 < made.streams["third"] <= made.streams["first"] < 24
    assert made.streams["pieces"] > made.streams["first"]
    with monkeypatch.context() as patched:
        patched.setattr(Execution, "_together", one_by_one)
        Recipe.load(plain).run(out=plain.parent / "runs" / "overlap")
    assert left_by(overlapped) == left_by(plain)


def test_rows_go_on_before_others_are_done(server: StandIn, tmp_path: Path) -> None:
    """The second question about one row is asked before the first about another."""
    server.forget()
    file = written(tmp_path / "project", server)
    Recipe.load(file).run(concurrency=2)
    asked = list(server.count()["by_prompt"])
    again = [place for place, prompt in enumerate(asked) if "Again: " in prompt]
    first = [place for place, prompt in enumerate(asked) if prompt.startswith("Question")]
    assert min(again) < max(first)


def test_what_stands_before_a_failure_comes_to_its_end(server: StandIn, tmp_path: Path) -> None:
    server.forget()
    file = written(tmp_path / "project", server)
    recipe = yaml.safe_load(file.read_text())
    recipe["generate"][2]["budget"] = {"max_calls": 3}
    file.write_text(yaml.safe_dump(recipe))
    with pytest.raises(SftrecipeError, match="second"):
        Recipe.load(file).run()
    counted = server.count()["by_prompt"]
    assert sum(prompt.startswith("Question") for prompt in counted) == 24
    steps = json.loads((file.parent / "runs" / "overlap" / "run.json").read_text())["steps"]
    assert [step["id"] for step in steps] == ["seeds", "first", "short", "pieces"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
columns = st.dictionaries(texts, values, max_size=3)
scores = st.dictionaries(texts, st.floats(allow_nan=False) | st.integers(0, 9), max_size=2)
keys = st.lists(st.text("abc", min_size=1, max_size=3), max_size=2).map(tuple)
tags = st.dictionaries(texts, texts, max_size=2)
records = st.builds(Record, st.just("id"), columns, st.just("s"), texts, keys, keys, scores, tags)
verdicts = st.builds(
    Verdict, st.just(True), st.just(""), st.none() | st.floats(allow_nan=False) | st.integers(0, 9),
    texts, scores, columns, keys, tags,
)  # fmt: skip


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records, st.lists(verdicts, min_size=1, max_size=3))
def test_a_row_goes_on_as_it_is_read_back(
    tmp_path: Path, record: Record, given: list[Verdict]
) -> None:
    rows = RowWriter(tmp_path / "rows")
    rows.write(record)
    rows.close()
    stream, row = Stream("s", tmp_path / "rows"), as_read(stored(record))
    assert list(stream) == [row]
    for number, verdict in enumerate(given):
        writer = VerdictWriter(tmp_path / str(number))
        writer.write(verdict)
        writer.close()
        stream = stream.through(Judged(f"f{number}", tmp_path / str(number)))
        row = judged_row(row, f"f{number}", verdict)
        assert [repr(each) for each in stream] == [repr(row)]
