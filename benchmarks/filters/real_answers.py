"""Real rows of ../shared/data as what is asked and what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DATA = Path("/work/shared/data")


class Real(NamedTuple):
    """One real row."""

    source: str
    asked: str
    answer: str


def real_rows(data: Path = DATA) -> Iterator[Real]:
    """The rows of all instruction sets there, each once."""
    seen = set()
    for name in (
        "llamafactory/alpaca_zh_demo.json",
        "llamafactory/alpaca_en_demo.json",
        "chatdoctor/chatdoctor_3000.json",
        "ifd/alpaca_gpt2_ifd_2000.json",
        "llamafactory/dpo_en_demo.json",
        "llamafactory/kto_en_demo.json",
    ):
        for row in json.loads((data / name).read_text("utf-8")):
            real = Real(Path(name).stem, *_asked_and_answered(row))
            if (real.asked, real.answer) not in seen:
                seen.add((real.asked, real.answer))
                yield real


def _asked_and_answered(row: dict[str, Any]) -> tuple[str, str]:
    if "conversations" in row:
        asked = "\n".join(turn["value"] for turn in row["conversations"] if turn["from"] == "human")
        return asked, row["chosen"]["value"]
    if "messages" in row:
        turns = row["messages"]
        asked = "\n".join(turn["content"] for turn in turns if turn["role"] == "user")
        return asked, turns[-1]["content"]
    return "\n".join(filter(None, (row["instruction"], row.get("input")))), row["output"]
