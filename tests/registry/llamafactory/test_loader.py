"""LLaMA-Factory's own loader, with a real tokenizer, makes an example of every row written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from sftrecipe.testing import RowList

from ...support.exports import export
from ...support.training_environment import ABSENT, training_python
from ...support.training_model import answered, small_model


def messages(*turns: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


TOOLS = json.dumps(
    [{"name": "f", "parameters": {"properties": {"x": {"type": "string", "enum": ["a"]}}}}]
)
CALL = {"name": "f", "arguments": {"x": "a"}}


def calling(*calls: dict[str, Any], **parts: str) -> list[dict[str, Any]]:
    asked = {"role": "user", "content": "u"}
    return [asked, {"role": "assistant", "content": "", "tool_calls": list(calls), **parts}]


TALK = messages(("system", "s"), ("user", "u1"), ("assistant", "a1"), ("user", "u2"))
ANSWERED = {"messages": [*TALK["messages"], {"role": "assistant", "content": "a2"}]}
CHATS = [
    {"instruction": "q", "input": "i", "output": "你好😀\u0000"},
    {"instruction": "q", "output": "a", "system": "s", "history": [["h1", "r1"], ["h2", "r2"]]},
    ANSWERED,
]
CALLS = [
    {
        "messages": [
            *calling(CALL),
            {"role": "tool", "content": "1"},
            {"role": "assistant", "content": "a"},
        ],
        "tools": TOOLS,
    },
    {"messages": calling(CALL, CALL)},
]
THOUGHT = [
    {"messages": calling(CALL, reasoning="hm")},
    {"messages": calling(CALL, CALL, reasoning="hm", content="so")},
]
PAIRS = [
    {"instruction": "q", "input": "i", "chosen": "good", "rejected": "bad"},
    {**TALK, "chosen": {"role": "assistant", "content": "good"}, "rejected": "bad"},
]
JUDGED = [
    {"instruction": "q", "output": "a", "label": True},
    {**ANSWERED, "label": False},
]
# Read from JSON lines, the first becomes dates, and the second fails after 10 MB without history.
DATES = [{"instruction": "2020-01-01", "output": "2021-02-03"}] * 3
LATE = [{"instruction": "x" * 9000, "output": "a"}] * 1300 + [
    {"instruction": "q", "output": "a", "history": [["h", "r"]]}
]
MARKED = [{"instruction": "turn {{idx}}", "output": "a"}, {"instruction": "q", "output": ""}]


class Loading(NamedTuple):
    """One export, and the stage to load it for."""

    name: str
    rows: list[dict[str, Any]]
    stage: str
    options: dict[str, Any]
    template: str = "smollm2"
    arguments: dict[str, Any] = {}


IDENTIFIED: list[tuple[str, list[dict[str, Any]], str, dict[str, Any], dict[str, Any]]] = [
    ("alpaca", CHATS, "sft", {}, {}),
    ("sharegpt", CHATS + CALLS, "sft", {"formatting": "sharegpt"}, {}),
    ("ranking_alpaca", PAIRS, "rm", {}, {}),
    ("ranking_sharegpt", PAIRS, "dpo", {"formatting": "sharegpt"}, {}),
    ("kto_sharegpt", JUDGED, "kto", {"formatting": "sharegpt"}, {}),
    ("text", [{"text": "a b c " * 500}] * 3, "pt", {"formatting": "text"}, {}),
    ("packed", CHATS, "sft", {}, {"packing": True}),
]
LOADINGS = [
    *(
        Loading(f"{name}_ids_{file}", rows, stage, given, arguments=arguments)
        for file in ("json", "parquet")
        for name, rows, stage, options, arguments in IDENTIFIED
        for given in [{**options, "file": file, "ids": True}]
        if file == "json" or name == "alpaca"
    ),
    Loading("packed_json", CHATS, "sft", {}, arguments={"packing": True}),
    *(
        Loading(f"{name}_{file}", rows, stage, {**options, "file": file})
        for file in ("json", "parquet")
        for name, rows, stage, options in [
            ("alpaca", CHATS, "sft", {}),
            ("alpaca_plain", CHATS[:1], "sft", {}),
            ("sharegpt", CHATS + CALLS, "sft", {"formatting": "sharegpt"}),
            ("sharegpt_plain", CHATS[:1], "sft", {"formatting": "sharegpt"}),
            ("ranking_alpaca", PAIRS, "rm", {}),
            ("ranking_sharegpt", PAIRS, "dpo", {"formatting": "sharegpt"}),
            ("kto_alpaca", JUDGED, "kto", {}),
            ("kto_sharegpt", JUDGED, "kto", {"formatting": "sharegpt"}),
            ("dates", DATES, "sft", {}),
            ("dates_sharegpt", DATES, "sft", {"formatting": "sharegpt"}),
            ("late_history", LATE, "sft", {}),
            ("marked", MARKED, "sft", {"keep": ["control_token", "empty_answer"]}),
            ("text", [{"text": "a b c " * 500}] * 3, "pt", {"formatting": "text"}),
        ]
    ),
    Loading(
        "thought_call",
        THOUGHT,
        "sft",
        {"formatting": "sharegpt"},
        template="qwen3",
    ),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """What LLaMA-Factory made of every export: one process for all."""
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    folder = tmp_path_factory.mktemp("out")
    model = small_model(tmp_path_factory.mktemp("model"))
    cases = []
    for name, rows, stage, options, template, arguments in LOADINGS:
        made = export("llamafactory", RowList.of(*rows), folder, name=name, **options)
        assert (made.reasons, made.sets[0].rows) == ([], len(rows))
        cases.append(
            {
                **{"dataset_dir": str(folder), "dataset": name, "stage": stage},
                **{"template": template, "model": str(model)},
                "arguments": {"cutoff_len": 16384 if "late" in name else 512, **arguments},
            }
        )
    answers = answered(python, cases)
    yield dict(zip((loading.name for loading in LOADINGS), answers, strict=True))


@pytest.mark.heavy
@pytest.mark.parametrize("loading", LOADINGS, ids=lambda loading: loading.name)
def test_every_row_is_an_example(loading: Loading, loaded: dict[str, dict[str, Any]]) -> None:
    answer = loaded[loading.name]
    assert answer["error"] is None
    assert answer["rows"] == len(loading.rows)
    assert answer["dropped"] == 0
    if loading.stage != "pt" and not loading.arguments:  # else packed into blocks
        assert answer["examples"] == len(loading.rows)
        assert (answer["at_cutoff"], answer["unlabelled"]) == (0, 0)


@pytest.mark.heavy
@pytest.mark.parametrize("name", [name for name, *_ in LOADINGS if "_ids_" in name])
def test_ids_change_nothing(name: str, loaded: dict[str, dict[str, Any]]) -> None:
    assert loaded[name] == loaded[name.replace("_ids_", "_")]


@pytest.mark.heavy
def test_it_learns_the_answers_and_reads_the_prompts(loaded: dict[str, dict[str, Any]]) -> None:
    def learned(name: str, at: int, sequence: str = "text") -> str:
        runs = loaded[name]["first"][at][sequence]
        return "".join(run["text"] for run in runs if run["learned"])

    for file in ("json", "parquet"):
        assert learned(f"alpaca_{file}", 0) == "你好😀\0<|im_end|>\n"
        assert learned(f"alpaca_{file}", 1) == "".join(
            f"{text}<|im_end|>\n" for text in ("r1", "r2", "a")
        )
        for kind in ("alpaca", "sharegpt"):
            assert learned(f"ranking_{kind}_{file}", 1, "chosen") == "good<|im_end|>\n"
            assert learned(f"ranking_{kind}_{file}", 1, "rejected") == "bad<|im_end|>\n"
            first, second = loaded[f"kto_{kind}_{file}"]["first"]
            assert (first["kto_tag"], second["kto_tag"]) == (True, False)
        assert learned(f"dates_{file}", 0) == "2021-02-03<|im_end|>\n"


@pytest.mark.heavy
def test_it_learns_the_thought_the_words_and_the_calls(loaded: dict[str, dict[str, Any]]) -> None:
    call = f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>"
    thought = "<think>\nhm\n</think>\n\n"
    one, two = (
        "".join(run["text"] for run in first["text"] if run["learned"])
        for first in loaded["thought_call"]["first"]
    )
    assert one == f"{thought}{call}<|im_end|>\n"
    assert two == f"{thought}so\n{call}\n{call}<|im_end|>\n"


@pytest.mark.heavy
def test_what_control_tokens_stand_for_is_true(loaded: dict[str, dict[str, Any]]) -> None:
    asked = loaded["marked_json"]["first"][0]["text"][0]["text"]
    assert "turn 0" in asked
    assert "{{idx}}" not in asked
