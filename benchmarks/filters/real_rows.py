"""What a filter finds in real rows of `../shared/data`, to be read: few of them should be found.

python benchmarks/filters/real_rows.py FILTER ['{"option": value}'] [--show 30]
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from command import outcomes

DATA = Path(__file__).parents[3] / "shared" / "data"
LISTS = {
    "alpaca_en": ("en", "llamafactory/alpaca_en_demo.json"),
    "alpaca_zh": ("zh", "llamafactory/alpaca_zh_demo.json"),
    "kto_en": ("en", "llamafactory/kto_en_demo.json"),
    "dpo_en": ("en", "llamafactory/dpo_en_demo.json"),
    "toolcall_en": ("en", "llamafactory/glaive_toolcall_en_demo.json"),
    "chatdoctor": ("en", "chatdoctor/chatdoctor_3000.json"),
    "alpaca_gpt2": ("en", "ifd/alpaca_gpt2_ifd_2000.json"),
}
_ROLES = {
    "system": "system",
    "human": "user",
    "gpt": "assistant",
    "function_call": "assistant",
    "observation": "user",
}


def main() -> None:
    """Print how many rows each list loses, by reason, and some of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("filter")
    parser.add_argument("options", nargs="?", default="{}", type=json.loads)
    parser.add_argument("--show", type=int, default=30)
    parser.add_argument("--lists", nargs="*", default=[*LISTS])
    asked = parser.parse_args()
    for name in asked.lists:
        _show(name, LISTS[name][0], [*listed_rows(name)], asked)


def _show(
    name: str, language: str, rows: Sequence[Mapping[str, Any]], asked: argparse.Namespace
) -> None:
    told = outcomes(asked.filter, asked.options, rows, language)
    lost = [outcome for outcome in told if outcome.reason]
    changed = [
        outcome
        for outcome, row in zip(told, rows, strict=True)
        if not outcome.reason and any(outcome.columns.get(n) != v for n, v in row.items())
    ]
    reasons = Counter(outcome.reason for outcome in lost)
    print(f"== {name}: {len(rows)} rows, {len(lost)} lost, {len(changed)} changed {dict(reasons)}")
    picked = random.Random(1).sample(lost + changed, min(asked.show, len(lost) + len(changed)))
    for outcome in picked:
        shown = json.dumps(outcome.columns, ensure_ascii=False)
        print(f"  {outcome.reason} {outcome.detail}: {shown[:900]}")


def listed_rows(name: str) -> Iterator[dict[str, Any]]:
    """The rows of one of `LISTS`."""
    for row in json.loads((DATA / LISTS[name][1]).read_text(encoding="utf-8")):
        yield _plain(row)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Canonical columns alone; the answer preferred of pairs."""
    if "instruction" in row:
        return {name: row[name] for name in ("instruction", "input", "output") if row.get(name)}
    turns = [
        {"role": turn["role"], "content": turn["content"]}
        if "role" in turn
        else {"role": _ROLES[turn["from"]], "content": turn["value"]}
        for turn in row.get("messages") or row["conversations"]
    ]
    if "chosen" in row:
        turns.append({"role": "assistant", "content": row["chosen"]["value"]})
    return {"messages": turns}


if __name__ == "__main__":
    main()
