"""Random rows, read by the source and by LLaMA-Factory's own converters, mean the same."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Record, Reject
from sftrecipe.run.steps.source_step import read_source

from ...support.source_rows import context, source
from ...support.training_environment import ABSENT, training_process_environment, training_python

CONVERT = """
import json, logging, sys
from types import SimpleNamespace
from llamafactory.data.converter import get_dataset_converter
from llamafactory.data.parser import get_dataset_list

logging.disable(logging.CRITICAL)
read = {}
for name in json.load(open("dataset_info.json")):
    [attributes] = get_dataset_list([name], ".")
    arguments = SimpleNamespace(media_dir=".")
    convert = get_dataset_converter(attributes.formatting, attributes, arguments)
    read[name] = []
    for line in open(name + ".jsonl"):
        try:
            made = convert(json.loads(line))
            read[name].append([made["_prompt"], made["_response"], made["_system"]])
        except Exception as error:
            read[name].append(None)
json.dump(read, open("theirs.json", "w"))
"""
ROLES = {"tool": "observation"}
BETWEEN_RESULTS = "\n</tool_response>\n<tool_response>\n"
KEYS = ("role_tag", "content_tag")
SHAREGPT = dict(
    zip(
        (*KEYS, "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag"),
        ("from", "value", "human", "gpt", "observation", "function_call", "system"),
        strict=True,
    )
)
OPENAI = dict(
    zip(
        SHAREGPT,
        ("role", "content", "user", "assistant", "tool", "function_call", "system"),
        strict=True,
    )
)
ALPACA = [
    None,
    {"prompt": "instruction", "response": "output"},
    {"prompt": "instruction", "query": "input", "response": "output", "history": "history"},
    {"prompt": "instruction", "response": "output", "system": "system", "kto_tag": "tag"},
    {"prompt": "instruction", "query": "input", "chosen": "chosen", "rejected": "rejected"},
]
THINKING = "detailed thinking off"
"""What LLaMA-Factory 0.9.5 appends to system prompts of the openai format."""


def test_converters(tmp_path: Path) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    entries = make_sets(random.Random(3), tmp_path)
    (tmp_path / "dataset_info.json").write_text(json.dumps(entries))
    environment = training_process_environment()
    subprocess.run([python, "-c", CONVERT], cwd=tmp_path, env=environment, check=True)
    theirs = json.loads((tmp_path / "theirs.json").read_text())
    same = 0
    for name, entry in entries.items():
        plugin = source("dataset", name=name)
        items = list(read_source(plugin, context(plugin, tmp_path)))
        assert len(items) == len(theirs[name])
        for item, other in zip(items, theirs[name], strict=True):
            if isinstance(item, Reject):
                assert not other or not other[0] or is_stricter(item)
                continue
            if (
                entry.get("formatting") == "openai"
                and item.columns["messages"][-1]["role"] == "tool"
            ):
                assert other[0] == []  # it loses results that nothing follows
                continue
            prompt, response, system = other
            prompt, response = ([with_calls(each) for each in part] for part in (prompt, response))
            if entry.get("formatting") == "openai":
                system = system.removesuffix(THINKING).removesuffix("\n")
            found = meant(item)
            assert found[:2] == [prompt, response]
            if (entry.get("columns") or {}).get("system") and "formatting" in entry:
                # It forgets the column beside a system turn, even beside an empty one.
                assert found[2].endswith(system or "")
            else:
                assert found[2] == (system or "")
            same += 1
    assert same > 1000


def is_stricter(reject: Reject) -> bool:
    """LLaMA-Factory takes a chosen turn of the user, and loses results after the last answer."""
    value = str(reject.value)
    if reject.reason == "bad_tool_call":  # it fails later, in training
        return True
    return "does not answer" in value or reject.record.columns["m"][-1].get("role") == "tool"


def meant(record: Record) -> list[Any]:
    """Prompt, response and system prompt of a row."""
    columns = record.columns
    if "messages" in columns:
        turns = [turn(message) for message in columns["messages"]]
        system = turns.pop(0)["content"] if turns[0]["role"] == "system" else ""
        answers = [] if "chosen" in columns else [turns.pop()]
    else:
        system = columns.get("system") or ""
        pairs = columns.get("history") or []
        turns = [said for asked, answered in pairs for said in (user(asked), assistant(answered))]
        asked = (columns.get("instruction"), columns.get("input"))
        turns.append(user("\n".join(part for part in asked if part)))
        has_answer = "output" in columns or "label" in columns
        answers = [assistant(columns.get("output"))] if has_answer else []
    if "chosen" in columns:
        answers = [turn(columns[name]) for name in ("chosen", "rejected")]
    if "label" in columns:
        answers = [*answers, assistant("")] if columns["label"] else [assistant(""), *answers]
    return [with_one_result(turns), answers, system]


def with_one_result(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns with the results of several calls as one, as its openai format has them."""
    found: list[dict[str, Any]] = []
    for each in turns:
        if found and each["role"] == found[-1]["role"] == "observation":
            found[-1]["content"] += BETWEEN_RESULTS + each["content"]
        else:
            found.append(each)
    return found


def turn(message: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(message, str):
        return assistant(message)
    if "tool_calls" in message:
        return {"role": "function", "content": message["tool_calls"]}
    return {"role": ROLES.get(message["role"], message["role"]), "content": message["content"]}


def with_calls(message: dict[str, Any]) -> dict[str, Any]:
    """LLaMA-Factory's turn with its calls as objects."""
    if message["role"] != "function":
        return message
    calls = json.loads(message["content"])
    for call in (calls := calls if isinstance(calls, list) else [calls]):
        if isinstance(call["arguments"], str):
            call["arguments"] = json.loads(call["arguments"])
    return {"role": "function", "content": calls}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str | None) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def make_sets(choose: random.Random, folder: Path) -> dict[str, dict[str, Any]]:
    """Entries of all formats, with their files."""
    entries: dict[str, dict[str, Any]] = {}
    for number, columns in enumerate(ALPACA):
        entry: dict[str, Any] = {} if columns is None else {"columns": columns}
        if columns and "chosen" in columns:
            entry["ranking"] = True
        entries[f"alpaca{number}"] = entry
        write(folder / f"alpaca{number}.jsonl", [alpaca(choose) for _ in range(200)])
    for number in range(8):
        name, tags = [("sharegpt", SHAREGPT), ("openai", OPENAI)][number % 2]
        if number in (4, 5):
            tags = {tag: role for tag, role in tags.items() if tag != "system_tag"}
        entry = {"formatting": name, "tags": tags, "columns": {"messages": "m", "system": "s"}}
        if number in (2, 3):
            entry["ranking"] = True
            entry["columns"] |= {"chosen": "c", "rejected": "d"}
        if number in (6, 7):
            entry["columns"]["kto_tag"] = "tag"
        entries[f"talk{number}"] = entry
        write(folder / f"talk{number}.jsonl", [talk(choose, tags) for _ in range(300)])
    return {name: {"file_name": f"{name}.jsonl", **entry} for name, entry in entries.items()}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def text(choose: random.Random) -> str:
    return choose.choice(["", "q", "多喝水", "a b"])


def alpaca(choose: random.Random) -> dict[str, Any]:
    texts = {name: text(choose) for name in ("instruction", "input", "output", "system")}
    row: dict[str, Any] = {
        name: value if choose.random() > 0.15 else None for name, value in texts.items()
    }
    history = choose.choice([None, "", [], [["x", "y"]], [["x", "y"], ["z", "w"]]])
    pair = {"chosen": text(choose), "rejected": text(choose)}
    return {**row, **pair, "history": history, "tag": choose.choice([True, False])}


def talk(choose: random.Random, tags: Mapping[str, str]) -> dict[str, Any]:
    role, content = tags["role_tag"], tags["content_tag"]
    roles = [name for tag, name in tags.items() if tag not in KEYS]

    def said(who: str) -> dict[str, Any]:
        is_call = who == tags["function_tag"] and choose.random() < 0.9
        call = json.dumps({"name": "f", "arguments": {"城": text(choose)}})
        return {role: who, content: call if is_call else text(choose)}

    messages = [said("system")] if choose.random() < 0.3 else []
    for place in range(choose.randrange(1, 6)):
        who = tags["assistant_tag"] if place % 2 else tags["user_tag"]
        messages.append(said(choose.choice(roles) if choose.random() < 0.2 else who))
        if messages[-1][role] == "assistant" and choose.random() < 0.2:
            messages[-1]["tool_calls"] = [{"function": {"name": "f", "arguments": '{"a": 1}'}}]
    answers = [tags["assistant_tag"]] * 5 + [tags["user_tag"]]
    pair = {"c": said(choose.choice(answers)), "d": said(choose.choice(answers))}
    return {"m": messages, "s": text(choose), "tag": choose.choice([True, False]), **pair}
