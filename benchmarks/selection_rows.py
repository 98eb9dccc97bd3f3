"""Rows for the benchmarks of selection, made by a seed out of `chatdoctor` and `self_instruct`.

Both lie in the data folder beside the project and are not part of it.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "shared" / "data"

Row = dict[str, Any]


def rows(count: int, seed: int = 0) -> Iterator[Row]:
    """A tenth repeats an earlier row, a quarter is one with some words changed, the rest is new.

    A new row joins sentences of several real ones; a few are too short, hold a link, or a word of
    the blacklist.
    """
    chance = random.Random(seed)
    real = _real_rows()
    sentences = [part for row in real for part in _sentences(row["output"])]
    vocabulary = sorted({word for row in real for word in row["output"].split()})
    made: list[Row] = []
    for number in range(count):
        drawn = chance.random()
        if number < len(real):
            row = real[number]
        elif drawn < 0.10:
            row = made[chance.randrange(len(made))]
        elif drawn < 0.35:
            row = _changed(made[chance.randrange(len(made))], vocabulary, chance)
        else:
            row = _new(real, sentences, chance)
        made.append(row)
        yield row


def write_rows(path: Path, count: int, seed: int = 0) -> None:
    """The rows as JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows(count, seed):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def instructions(count: int, seed: int = 0) -> list[str]:
    """Short texts like a pool of instructions: real ones, and others that join parts of two."""
    chance = random.Random(seed)
    real = sorted({row["instruction"] for row in _seed_rows()} | set(_questions()))
    words = sorted({word for text in real for word in text.split()})
    texts = list(real)
    while len(texts) < count:
        first, second = (chance.choice(real).split() for _ in range(2))
        joined = first[: chance.randint(2, 8)] + second[-chance.randint(2, 8) :]
        joined += chance.choices(words, k=chance.randint(1, 6))
        texts.append(" ".join(joined))
    return texts[:count]


def _real_rows() -> list[Row]:
    patients = json.loads((DATA / "chatdoctor" / "chatdoctor_3000.json").read_text("utf-8"))
    return [*patients, *_seed_rows()]


def _seed_rows() -> list[Row]:
    names = ("seed_tasks.jsonl", "user_oriented_instructions.jsonl")
    lines = [line for name in names for line in (DATA / "self_instruct" / name).open("rb")]
    tasks = [json.loads(line) for line in lines]
    return [{"instruction": task["instruction"], **task["instances"][0]} for task in tasks]


def _questions() -> Iterator[str]:
    """What patients ask, a sentence each."""
    for row in _real_rows():
        yield from (part for part in _sentences(row["input"]) if 4 <= len(part.split()) <= 30)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+", text)


def _new(real: list[Row], sentences: list[str], chance: random.Random) -> Row:
    asked, extra = chance.choice(real), chance.choice(sentences)
    output = " ".join(chance.choices(sentences, k=chance.randint(3, 9)))
    odd = chance.random()
    if odd < 0.02:
        output = output[:9]
    elif odd < 0.04:
        output += " See https://example.com"
    elif odd < 0.06:
        output += " Please look at the flowchart."
    return {**asked, "input": f"{asked['input']} {extra}".strip(), "output": output}


def _changed(row: Row, vocabulary: list[str], chance: random.Random) -> Row:
    words = row["output"].split()
    for _ in range(int(len(words) * chance.random() * 0.08)):
        words[chance.randrange(len(words))] = chance.choice(vocabulary)
    return {**row, "output": " ".join(words)}
