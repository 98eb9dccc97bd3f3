"""What data sets teach: labels in every form, pairs among answers, classes that judge nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.testing import RowList
from sftrecipe_registry.llamafactory.formats.data_set_kind import data_set_kind, row_kind
from sftrecipe_registry.llamafactory.formats.judgement_label import judgement

from ...support.exports import export
from ...support.plain_runs import Plain, examples

GOOD = [
    "true",
    "1",
    "1.0",
    "yes",
    "good",
    "desirable",
    "thumbs up",
    "👍",
    "好",
    "是",
    "赞",
    "对",
    "pass",
    "通过",
]
BAD = [
    "false",
    "0",
    "0.0",
    "no",
    "bad",
    "undesirable",
    "thumbs down",
    "👎",
    "坏",
    "否",
    "踩",
    "错",
    "fail",
    "不通过",
]
CLASSES = ["cardiology", "3", "2.5", "spam", "maybe", "中性", "", "truee", "not good", "10", "-2"]
WRITTEN = st.tuples(
    st.sampled_from(["", " ", "\t", "\u3000"]),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.sampled_from([" ", "_", "-"]),
)


@settings(max_examples=examples(60), deadline=None)
@given(st.sampled_from([*GOOD, *BAD]), WRITTEN)
def test_a_label_is_read_however_it_is_written(label: str, written: Any) -> None:
    space, case, between = written
    text = space + case(label).replace(" ", between) + space
    assert judgement(text) is (label in GOOD)


@given(
    st.sampled_from(CLASSES)
    | st.floats(2, 9)
    | st.integers(2, 99)
    | st.none()
    | st.lists(st.none())
)
def test_other_labels_judge_nothing(label: object) -> None:
    assert judgement(label) is None


ROWS = st.lists(
    st.fixed_dictionaries(
        {"instruction": st.just("q")},
        optional={
            "output": st.sampled_from(["a", None]),
            "chosen": st.just("c"),
            "rejected": st.just("r"),
            "label": st.sampled_from([True, "0", "👍", "class", 7, None]),
            "text": st.just("t"),
        },
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=examples(80), deadline=None)
@given(ROWS, st.sampled_from([None, "none", "ranking", "kto"]))
def test_a_data_set_holds_one_kind(
    tmp_path_factory: pytest.TempPathFactory, columns: list[dict[str, Any]], stated: Any
) -> None:
    kind = data_set_kind(stated, columns)
    judged = data_set_kind(None, columns).labels
    folder = tmp_path_factory.mktemp("kinds")
    rows = RowList.of(*({**each, "instruction": f"q {at}"} for at, each in enumerate(columns)))
    try:
        made = export("llamafactory", rows, folder, preference=stated)
    except Exception as refusal:  # no row is of that kind
        assert "no row can be exported" in str(refusal)
        return
    lost = {record.id for record, _, _ in made.rejects}
    kept = [row.columns for row in rows if row.id not in lost]
    assert made.sets[0].kind == kind.teaches
    assert len(made.rows()) == len(kept)
    for row, source in zip(made.rows(), kept, strict=True):
        if kind.teaches == "judgements":
            assert row["label"] is judgement(source["label"])
        elif stated is None:
            assert row_kind(source, labels=judged) == kind.teaches
            assert "label" not in row


def write(project: Plain, rows: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (project.folder / "rows.jsonl").write_text(text, "utf-8")


def outcome(project: Plain, language: str = "en") -> str:
    done = project.start("run", "recipe.yaml", SFTRECIPE_LANG=language)
    out, error = done.communicate(timeout=120)
    assert done.returncode == 0, error
    return out


@pytest.fixture
def project(tmp_path: Path) -> Plain:
    made = Plain(tmp_path / "project")
    made.recipe(export=[{"use": "llamafactory"}])
    return made


def test_labels_of_every_form_become_true_and_false(project: Plain) -> None:
    labels: list[Any] = [*GOOD, *BAD, True, False, 1, 0, 1.0, 0.0, -1, "-1", "hm", 7]
    write(
        project,
        [
            {"instruction": f"q {n}", "output": "a", "label": label}
            for n, label in enumerate(labels)
        ],
    )
    told = outcome(project)
    assert "export-llamafactory: judgements of answers, 17 good and 19 bad" in told
    rows = json.loads((project.out / "plain.json").read_text())
    read = [row["label"] for row in rows]
    assert read == [*[True] * len(GOOD), *[False] * len(BAD), *[True, False] * 3, False, False]
    rejects = [(each["reason"], each["value"]) for each in project.data("rejects.jsonl")]
    assert rejects == [("bad_label", "'hm'"), ("bad_label", "7")]
    entry = json.loads((project.out / "dataset_info.json").read_text())["plain"]
    assert entry["columns"]["kto_tag"] == "label"


@pytest.mark.parametrize("name", ["kto_tag", "labels"])
def test_a_label_may_have_another_name(tmp_path: Path, name: str) -> None:
    rows = RowList.of(
        *({"instruction": f"q {n}", "output": "a", name: n % 2 == 0} for n in range(3)),
        {"instruction": "q", "output": "a", "label": "cardiology", name: "bad"},
    )
    made = export("llamafactory", rows, tmp_path)
    assert (made.sets[0].kind, [row["label"] for row in made.rows()]) == (
        ("judgements", [True, False, True, False])
        if name == "kto_tag"
        else ("judgements", [True, False, True])
    )
    classes = RowList.of({"instruction": "q", "output": "a", name: "cardiology"})
    assert export("llamafactory", classes, tmp_path / "b").sets[0].kind == "answers"


def test_numbers_of_classes_judge_nothing() -> None:
    rows = [{"instruction": "q", "output": "a", "label": n % 4} for n in range(40)]
    assert not data_set_kind(None, rows).labels
    assert data_set_kind(None, [{**row, "label": row["label"] % 2} for row in rows]).labels


def test_a_class_is_no_judgement(project: Plain) -> None:
    labels = ["cardiology", "neurology", 3]
    write(
        project,
        [{"instruction": f"q {n}", "output": "a", "label": labels[n % 3]} for n in range(9)],
    )
    told = outcome(project)
    assert "export-llamafactory: answers\n" in told
    assert "column 'label' of 9 rows judges nothing" in told
    assert len(json.loads((project.out / "plain.json").read_text())) == 9


def test_pairs_and_judgements_are_no_answers(project: Plain) -> None:
    answers = [{"instruction": f"q {n}", "output": "a"} for n in range(9)]
    pair = {"instruction": "p", "chosen": "good", "rejected": "bad"}
    judged = {"instruction": "j", "output": "bad!", "label": "no"}
    write(project, [*answers, pair, {**pair, "output": "the first one"}, judged])
    told = outcome(project, "zh")
    assert "export-llamafactory：回答\n" in told
    assert "成对的回答（偏好） 2 行；对回答的评判 1 行" in told
    assert len(json.loads((project.out / "plain.json").read_text())) == 9
    reasons = Counter((each["reason"], each["value"]) for each in project.data("rejects.jsonl"))
    assert reasons == {("other_kind", "pairs"): 2, ("other_kind", "judgements"): 1}


def stage_of(project: Plain, stage: str, language: str = "en", **options: Any) -> str:
    """What `validate` says of a training at this stage."""
    train = {"stage": stage, "model_name_or_path": "org/model", "template": "qwen"}
    project.recipe(
        export=[
            {"use": "llamafactory", "with": options},
            {"use": "jsonl", "with": {"name": "all"}},
        ],
        train={"use": "llamafactory", "with": train},
    )
    done = project.start("validate", "recipe.yaml", SFTRECIPE_LANG=language)
    return "".join(done.communicate(timeout=60))


def test_the_stage_is_held_against_the_data(project: Plain) -> None:
    write(project, [{"instruction": "q", "output": "a"}])
    assert "'train' learns from pairs of answers, and its exports hold answers" in stage_of(
        project, "dpo"
    )
    assert "训练 'train' 需要对回答的评判，而它的导出中只有回答" in stage_of(project, "kto", "zh")
    assert "recipe.yaml: ok" in stage_of(project, "sft")
    write(project, [{"prompt": "q", "chosen": "a", "rejected": "b"}])
    assert "learns from answers, and its exports hold pairs" in stage_of(project, "sft")
    assert "recipe.yaml: ok" in stage_of(project, "rm")


def test_columns_that_an_entry_does_not_name_are_told(tmp_path: Path) -> None:
    project = Plain(tmp_path / "project")
    entry = {"file_name": "d.json", "columns": {"prompt": "instruction", "response": "output"}}
    (project.folder / "dataset_info.json").write_text(json.dumps({"d": entry}))
    rows = [
        {"instruction": "Say it.", "input": "Hello", "output": "Bonjour", "system": "", "topic": 1}
    ]
    (project.folder / "d.json").write_text(json.dumps(rows))
    project.recipe(sources={"s": {"use": "dataset", "name": "d"}})
    told = project.run("recipe.yaml", command="validate")
    assert "warning[unnamed-column]: source 's' leaves out 'input': " in told
    assert "s: column 'input' of 1 rows is left out" in outcome(project)
    assert project.data() == [{"instruction": "Say it.", "output": "Bonjour", "topic": 1}]
