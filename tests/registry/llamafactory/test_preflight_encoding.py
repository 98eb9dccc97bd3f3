"""Template, truncation and control tokens, by LLaMA-Factory's own code and a real tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sftrecipe.plugin import Finding
from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.preflight.template import template_findings
from sftrecipe_registry.llamafactory.preflight.thoughts import thought_findings
from sftrecipe_registry.shared.processes.python_environment import TRAINING_ENVIRONMENT

from ...support.training_environment import ABSENT, training_python
from ...support.training_model import answered, small_model
from .preflighting import faults, preflight, write_data

CUTOFF = 64
WORDS = "word " * 200
ROWS = [
    {"instruction": "q", "input": "", "output": "a"},
    {"instruction": "q", "input": "", "output": WORDS},
    {"instruction": WORDS, "input": "", "output": "a"},
    {"instruction": WORDS, "input": "", "output": WORDS},
    {"instruction": "see <|im_end|> there", "input": "", "output": "a"},
    {"instruction": "turn {{idx}}", "input": "", "output": "a"},
]
PAIRS = [
    {"instruction": "q", "chosen": "a", "rejected": "b"},
    {"instruction": "q", "chosen": "a", "rejected": WORDS},
]
PAIRED = {
    "ranking": True,
    "columns": {"prompt": "instruction", "chosen": "chosen", "rejected": "rejected"},
}
JUDGED = [
    {"instruction": "q", "output": WORDS, "label": True},
    {"instruction": "q", "output": "a", "label": False},
]
KTO = {"columns": {"prompt": "instruction", "response": "output", "kto_tag": "label"}}
TEXTS = [{"text": "one two three"}] * 3
TEXT = {"columns": {"prompt": "text"}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small_model(tmp_path_factory.mktemp("model")))


@pytest.fixture
def python(monkeypatch: pytest.MonkeyPatch) -> Path:
    found = training_python()
    if found is None:
        pytest.skip(ABSENT)
    monkeypatch.setenv(TRAINING_ENVIRONMENT, str(found.parents[1]))
    llamafactory.argument_table.cache_clear()
    return found


def found_of(
    folder: Path, model: str, rows: list[dict[str, Any]], entry: dict[str, Any], **more: Any
) -> dict[str, list[Finding]]:
    """Findings by their checks."""
    write_data(folder, "data.json", rows, entry)
    given = {"dataset": "data", "dataset_dir": ".", "use_cpu": True, "cutoff_len": CUTOFF}
    found = preflight(folder, **{**given, "model_name_or_path": model, **more})
    checks: dict[str, list[Finding]] = {}
    for each in found:
        checks.setdefault(each.check, []).append(each)
    return checks


def loaded(
    python: Path, folder: Path, model: str, stage: str, template: str = "smollm2"
) -> dict[str, Any]:
    """What LLaMA-Factory's own loader makes of the same."""
    case = {"dataset_dir": str(folder), "dataset": "data", "stage": stage, "template": template}
    return answered(python, [{**case, "model": model, "arguments": {"cutoff_len": CUTOFF}}])[0]


@pytest.mark.heavy
def test_rows_that_are_cut_are_counted(python: Path, tmp_path: Path, model: str) -> None:
    found = found_of(tmp_path, model, ROWS, {})
    answer = loaded(python, tmp_path, model, "sft")
    (cut,) = found["truncation"]
    assert cut.message.startswith(f"data set 'data': 3 rows longer than cutoff_len {CUTOFF}: ")
    assert answer["at_cutoff"] == 3
    assert "2 rows lose the end token" in cut.message
    assert [text.split(":")[0] for text in cut.examples] == [
        f"data.json, row {number} (line 1)" for number in (2, 3, 4)
    ]
    learned = "".join(run["text"] for run in answer["first"][1]["text"] if run["learned"])
    assert "<|im_end|>" not in learned
    (marked,) = found["control_tokens"]
    assert marked.message.startswith("data set 'data': 2 rows with what the model takes for")
    assert [text.split(": ")[1] for text in marked.examples] == ["<|im_end|>", "{{idx}}"]
    assert "template" not in found
    assert "template_system" not in found
    assert not any(faults(each) for each in found.values())


@pytest.mark.heavy
def test_a_cutoff_that_leaves_nothing_is_refused(python: Path, tmp_path: Path, model: str) -> None:
    found = found_of(tmp_path, model, ROWS[:2], {}, cutoff_len=1)
    assert [each.state for each in found["truncation"]] == ["fault", "fault"]


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("stage", "rows", "entry"), [("rm", PAIRS, PAIRED), ("kto", JUDGED, KTO)], ids=["rm", "kto"]
)
def test_pairs_and_judged_rows_are_cut_too(
    python: Path,
    tmp_path: Path,
    model: str,
    stage: str,
    rows: list[dict[str, Any]],
    entry: dict[str, Any],
) -> None:
    found = found_of(tmp_path, model, rows, entry, stage=stage)
    (cut,) = found["truncation"]
    assert cut.message.startswith("data set 'data': 1 row longer than cutoff_len")
    assert "1 row loses the end token" in cut.message
    assert loaded(python, tmp_path, model, stage)["at_cutoff"] == 1


@pytest.mark.heavy
def test_texts_that_fill_no_block(python: Path, tmp_path: Path, model: str) -> None:
    found = found_of(tmp_path, model, TEXTS, TEXT, stage="pt")
    (fault,) = faults(found["truncation"])
    assert f"which fill no block of {CUTOFF}" in fault.message
    assert "Cannot find sufficient samples" in loaded(python, tmp_path, model, "pt")["error"]
    assert "template" not in found


@pytest.mark.heavy
def test_a_wrong_template_is_refused(python: Path, tmp_path: Path, model: str) -> None:
    found = found_of(tmp_path, model, ROWS[:1], {}, template="llama3")
    (fault,) = faults(found["template"])
    assert "it never writes <|im_end|>" in fault.message
    assert "it adds 2 tokens that the model does not know" in fault.message
    assert "smollm2" in (fault.advice or "")
    own, trained = fault.examples
    assert "<|im_start|>user\\nFirst question?<|im_end|>" in own
    assert "<|start_header_id|>user<|end_header_id|>\\n\\nFirst question?<|eot_id|>" in trained
    answer = loaded(python, tmp_path, model, "sft", "llama3")
    assert (answer["error"], answer["examples"]) == (None, 1)


def counts(**found: tuple[int, int]) -> dict[str, Any]:
    """What a worker counts in a data set, as (rows, amount)."""
    names = ("thinking", "plain", "foreign", "spaced", "empty", "lost", "earlier", "spoken")
    told = {
        name: {"data": {"rows": rows, "amount": amount, "examples": []}}
        for name, (rows, amount) in found.items()
    }
    return {**{name: {} for name in names}, **told, "reasons": True, "words": ["<a>", "</a>"]}


@pytest.mark.parametrize(
    ("settings", "told", "state", "message", "advice"),
    [
        ({}, counts(empty=(2, 0)), "warning", "2 rows an answer without", "enable_thinking: false"),
        (
            {},
            counts(empty=(1, 0), thinking=(1, 0)),
            "warning",
            "1 row an answer without",
            "enable_thinking: null",
        ),
        (
            {"enable_thinking": False},
            counts(lost=(1, 0)),
            "warning",
            "of 1 row are left out, as enable_thinking is false",
            "enable_thinking: true",
        ),
        (
            {"enable_thinking": False},
            counts(lost=(1, 0), plain=(1, 0)),
            "warning",
            "are left out",
            "enable_thinking: null",
        ),
        ({}, counts(earlier=(2, 3)), "warning", "3 thoughts of earlier turns", "preserve_thinking"),
        ({}, counts(foreign=(1, 0)), "fault", "not marked as template", '["<a>", "</a>"]'),
        ({}, counts(spaced=(1, 0)), "warning", "other spaces", '["<a>", "</a>"]'),
        (
            {},
            {**counts(thinking=(1, 0)), "reasons": False},
            "warning",
            "knows no thoughts",
            "qwen3",
        ),
    ],
)
def test_what_a_template_makes_of_thoughts_is_told(
    settings: dict[str, Any], told: dict[str, Any], state: str, message: str, advice: str
) -> None:
    (found,) = thought_findings(settings, told)
    assert (found.state, message in found.message) == (state, True)
    assert advice in (found.advice or "")


@pytest.mark.heavy
def test_a_model_that_is_not_here_is_not_checked(python: Path, tmp_path: Path) -> None:
    found = found_of(tmp_path, "nobody/nothing", ROWS[:1], {})
    (warning,) = found["model"]
    assert warning.state == "warning"
    assert "template and truncation are not checked" in warning.message


def report(own: str, trained: str) -> dict[str, Any]:
    """A worker's report of a model with the tokens <s>, [A] and [B]."""
    return {
        "own": {"template": True, "vocabulary": 3, "with_system": own, "without_system": own},
        "trained": {"vocabulary": 3, "with_system": trained, "without_system": trained},
        "others": {"with_system": {"right": own}, "without_system": {"right": own}},
        "tokens": ["<s>", "[A]", "[B]"],
    }


@pytest.mark.parametrize(
    ("own", "trained", "states"),
    [
        ("<s>[A]q[B]a", "<s>[A]q[B]a\n", []),
        ("[A]q[B]<think>\n\n</think>\n\na", "[A]q[B]a", []),
        ("[A]q[B]a", "[A] q[B]a", ["warning"]),
        ("<s>[A]q[B]a", "[A]q[B]a", ["warning"]),
        ("<s>[A]q[B]a", "<s>Human: q[B]a", ["fault"]),
    ],
)
def test_differences_that_matter(own: str, trained: str, states: list[str]) -> None:
    found = list(template_findings({"template": "wrong"}, report(own, trained)))
    assert [each.state for each in found] == states
    assert all(each.advice == "these are the model's own: right" for each in found)


def test_a_model_without_a_chat_template() -> None:
    told = {**report("", ""), "own": {"template": None}}
    assert list(template_findings({"template": "default"}, told)) == []
    (fault,) = template_findings({}, told)
    assert (fault.state, "turns run together" in fault.message) == ("fault", True)
    assert list(template_findings({"stage": "pt"}, told)) == []


def test_no_template_is_named() -> None:
    (warning,) = template_findings({}, report("[A]q", "[A]q"))
    assert (warning.state, warning.advice) == ("warning", "these are the model's own: right")
