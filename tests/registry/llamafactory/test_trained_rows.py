"""Random conversations of all parts: what is said of them before a training is what it learns."""

from __future__ import annotations

import json
import os
import re
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sftrecipe.plugin import DataSet
from sftrecipe.testing import RowList
from sftrecipe_registry.llamafactory.preflight import encoding as preflight_encoding
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes, Catalogue
from sftrecipe_registry.llamafactory.preflight.data import DataCheck, Spool

from ...support.exports import export
from ...support.training_environment import ABSENT, training_process_environment, training_python
from ...support.training_model import small_model

SCRIPT = Path(__file__).with_name("trained_rows.py")
CONVERSATIONS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "6"))
"""Of each template; where the variable says how many, in all ways of training."""
REASONING = {
    "qwen3": None,
    "deepseekr1": None,
    "glm4_moe": None,
    "minimax2": None,
    "glm4_7": ["<think>", "</think>"],
    "seed_oss": ["<seed:think>", "</seed:think>"],
    "gpt_oss": [
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ],
}
"""Templates, and the words that they write around a thought where these are not the usual ones."""
OTHERS = ("llama3", "qwen", "default", "hunyuan", "ernie", "mistral", "gemma", "llama2")
OF_CALLS_ALONE = ("mistral", "gemma", "llama2")
"""Templates of Llama 2's kind, whose calls can have neither thought nor text before them."""
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC"
"""A picture of one pixel."""
WAYS = (
    (True, False, "reject"),
    (None, True, "split"),
    (False, False, "split"),
    (None, False, "split"),
)
"""`enable_thinking`, `preserve_thinking`, and what the exporter does to masked turns."""
WORD = re.compile(r"w\d+z")
Turns = list[dict[str, Any]]


class Talks:
    """Conversations whose every part says a word that nothing else says."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.numbers = count()

    def word(self) -> str:
        return f"w{next(self.numbers)}z"

    def maybe(self, share: float) -> bool:
        return self.random.random() < share

    def row(self, image: str) -> dict[str, Any]:
        turns: Turns = [{"role": "system", "content": self.word()}] if self.maybe(0.3) else []
        for _ in range(self.random.randint(1, 3)):
            turns += self.exchange()
        answers = [turn for turn in turns if turn["role"] == "assistant"]
        for turn in answers[:-1] if self.maybe(0.4) else answers if self.maybe(0.1) else ():
            if len(answers) > 1:
                turn["train"] = False
        columns: dict[str, Any] = {"messages": turns, "tools": self.tools()}
        if self.maybe(0.15):
            next(turn for turn in turns if turn["role"] == "user")["content"] += " <image>"
            columns["images"] = [image]
        return columns

    def exchange(self) -> Turns:
        turns: Turns = [{"role": "user", "content": self.word()}]
        for _ in range(self.random.choice((0, 0, 1, 2))):
            calls = [self.call() for _ in range(self.random.randint(1, 2))]
            said = self.word() if self.maybe(0.3) else ""
            turns.append(self.thinking({"role": "assistant", "content": said, "tool_calls": calls}))
            for call in calls:
                result = {"role": "tool", "content": self.word(), "tool_call_id": call["id"]}
                turns.append(result)
        return [*turns, self.thinking({"role": "assistant", "content": self.word()})]

    def call(self) -> dict[str, Any]:
        text = self.random.choice(["", "<think>", "</tool_call>", '"{', "\n你好", "<b>"])
        arguments = {"x": f"{self.word()} {text}", "y": self.random.choice([1, None, [1.5], {}])}
        return {"name": "look", "arguments": arguments, "id": self.word()}

    def thinking(self, turn: dict[str, Any]) -> dict[str, Any]:
        if self.maybe(0.5):
            turn["reasoning"] = f"{self.word()}\n\n{self.word()}"
        return turn

    def tools(self) -> str:
        parameters = {"properties": {"x": {"type": "string"}, "y": {"type": "object"}}}
        return json.dumps([{"name": "look", "description": "d", "parameters": parameters}])


def said(turn: dict[str, Any], *, thought: bool = True) -> set[str]:
    """The words of a turn that are to be read."""
    text = turn["content"] + json.dumps([call["arguments"] for call in turn.get("tool_calls", ())])
    return {*WORD.findall(text), *WORD.findall(turn.get("reasoning", "") if thought else "")}


class Case:
    """One export, and how it is trained."""

    def __init__(self, template: str, folder: Path, rows: RowList, image: Path, **given: Any):
        self.template, self.folder, self.rows = template, folder, rows
        self.thinking = given.pop("enable_thinking", True)
        self.preserves = given.pop("preserve_thinking", False)
        words = REASONING.get(template)
        options = {"thought_words": words} if words else {}
        made = export("llamafactory", rows, folder, formatting="sharegpt", **options, **given)
        (folder / image.name).write_bytes(image.read_bytes())
        self.rejects = {record.id: reason for record, reason, _ in made.rejects}
        (self.set,) = made.sets
        self.splits = given.get("masked") == "split"
        self.masks = bool(self.set.needs.get("mask_history"))

    def asked(self) -> dict[str, Any]:
        spooled = self.folder / "spooled.jsonl"
        with spooled.open("wb") as file:
            check_data(self.folder, self.set, Spool(spooled, file))
        data: dict[str, Any] = {
            **{"template": self.template, "cutoff_len": 100_000, "mask_history": self.masks},
            **{"enable_thinking": self.thinking, "preserve_thinking": self.preserves},
        }
        names = {"folder": str(self.folder), "dataset": self.set.name, "rows": str(spooled)}
        return {**names, "stage": "sft", "data": data}

    def wanted(self) -> Iterator[tuple[dict[str, Any], Turns, Turns]]:
        """The columns of each written row, its turns, and those of them that are learned."""
        for record in self.rows:
            if record.id in self.rejects:
                continue
            turns = record.columns["messages"]
            answers = [turn for turn in turns if turn["role"] == "assistant"]
            learned = [turn for turn in answers if turn.get("train", True)]
            if not self.splits:
                yield dict(record.columns), turns, learned
                continue
            for turn in learned:
                at = next(at for at, each in enumerate(turns) if each is turn)
                yield dict(record.columns), turns[: at + 1], [turn]


def check_data(folder: Path, made: DataSet, spool: Spool) -> None:
    """Let the preflight read the data set."""
    catalogue = Catalogue(folder, ".")
    assert list(catalogue.read()) == []
    (attributes,) = catalogue.look_up(made.name, "sft")
    assert isinstance(attributes, Attributes)
    assert [each.message for each in DataCheck(attributes, "sft", folder, spool).findings()] == []
    assert spool.rows == made.rows


def cases(folder: Path) -> list[Case]:
    talks = Talks(seed=11)
    image = folder / "dot.png"
    image.write_bytes(b64decode(DOT))
    made = []
    for number, template in enumerate([*REASONING, *OTHERS]):
        ways = WAYS if template in REASONING else WAYS[:2]
        if "SFTRECIPE_TEST_RUNS" not in os.environ:
            ways = (ways[number % len(ways)],)
        for thinking, preserves, masked in ways:
            rows = RowList.of(*(talks.row(image.name) for _ in range(CONVERSATIONS)))
            out = folder / f"{number}-{len(made)}"
            more = {"enable_thinking": thinking, "preserve_thinking": preserves}
            made.append(Case(template, out, rows, image, masked=masked, **more))
    return made


@pytest.mark.heavy
def test_what_is_said_before_a_training_is_what_it_learns(tmp_path: Path) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    all_cases = cases(tmp_path)
    asked = {
        "model": str(small_model(tmp_path / "model")),
        "worker": str(preflight_encoding._WORKER),
        "cases": [case.asked() for case in all_cases],
    }
    done = subprocess.run(
        [python, SCRIPT],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for case, answer in zip(all_cases, json.loads(done.stdout), strict=True):
        check(case, answer)


def check(case: Case, answer: dict[str, Any]) -> None:
    """Compare a case with what became of it."""
    where = f"{case.template} {case.thinking} {case.preserves} {case.folder.name}"
    failed = lost = empty = 0
    wanted = list(case.wanted())
    assert {*case.rejects.values()} <= {"masked_turn"}, where
    assert len(wanted) == len(answer["rows"]), where
    for (columns, turns, learned), row in zip(wanted, answer["rows"], strict=True):
        assert row["same"], (where, row)
        assert bool(row["error"]) == must_fail(case, columns, turns), (where, row, turns)
        if row["error"]:
            failed += 1
            continue
        kept = kept_thoughts(case, turns)
        assert {*WORD.findall(row["whole"][0])} == set().union(
            *(said(turn, thought=id(turn) in kept) for turn in turns)
        ), (where, row, turns)
        assert {*WORD.findall(row["learned"][0])} == set().union(
            *(said(turn, thought=id(turn) in kept) for turn in learned)
        ), (where, row, turns)
        lost += any(turn.get("reasoning") and id(turn) not in kept for turn in turns)
        empty += learns_empty(case, turns)
    check_report(case, answer["report"], (failed, lost, empty), where)


def must_fail(case: Case, columns: dict[str, Any], turns: Turns) -> bool:
    """Whether LLaMA-Factory cannot write the row with this template."""
    if case.template in OF_CALLS_ALONE and any(
        turn.get("tool_calls") and (turn.get("reasoning") or turn["content"]) for turn in turns
    ):
        return True
    return "images" in columns


def kept_thoughts(case: Case, turns: Turns) -> set[int]:
    """The turns whose thoughts the template leaves in place."""
    thinking = [turn for turn in turns if turn.get("reasoning")]
    if case.template in REASONING:
        if case.thinking is False:
            return set()
        if case.masks and not case.preserves:
            thinking = [turn for turn in thinking if turn is turns[-1]]
    return {id(turn) for turn in thinking}


def learns_empty(case: Case, turns: Turns) -> bool:
    """Whether an empty thought is put into what is learned."""
    if case.template not in REASONING or case.thinking is not True:
        return False
    answers = [turn for turn in turns if turn["role"] == "assistant"]
    return any(not turn.get("reasoning") for turn in (answers[-1:] if case.masks else answers))


def check_report(
    case: Case, report: dict[str, Any], expected: tuple[int, int, int], where: str
) -> None:
    """What the preflight says of all rows."""
    failed, lost, empty = expected

    def rows(found: dict[str, Any]) -> int:
        return sum(each["rows"] for each in found.values())

    thoughts = report["thoughts"]
    assert rows(report["failed"]) == failed, where
    assert thoughts["reasons"] == (case.template in REASONING), where
    assert rows(thoughts["lost"]) + rows(thoughts["earlier"]) == lost, where
    assert rows(thoughts["foreign"]) == rows(thoughts["spaced"]) == 0, where
    assert rows(thoughts["empty"]) == empty, where
