"""Counts the blocks that rows are packed into, with LLaMA-Factory's own code, for `worker.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llamafactory.data.processor.processor_utils import (  # type: ignore[import-not-found]
    greedy_knapsack,
)


def packed(encoder: Any, path: str) -> dict[str, int]:
    """Fine-tuning: how many blocks are filled by the rows of each data set."""
    found: dict[str, int] = {}
    lengths: dict[str, list[int]] = {}
    for row in rows(path):
        (tokens, _), *_ = encoder.sequences(row, encoder.cutoff)
        full = lengths.setdefault(row["name"], [])
        full.append(len(tokens))
        if len(full) == encoder.data.preprocessing_batch_size:
            add(encoder, row["name"], full, found)
    for name, full in lengths.items():
        add(encoder, name, full, found)
    return found


def add(encoder: Any, name: str, lengths: list[int], found: dict[str, int]) -> None:
    """One batch; its lengths are taken away."""
    if lengths:
        found[name] = found.get(name, 0) + len(greedy_knapsack(lengths, encoder.cutoff))
        lengths.clear()


def blocks(encoder: Any, path: str) -> dict[str, int]:
    """Pre-training: the tokens of all texts, and the blocks that LLaMA-Factory makes of them."""
    batch: list[list[dict[str, str]]] = []
    found = {"tokens": 0, "kept": 0, "blocks": 0, "cut": 0, "lost": 0}
    for row in rows(path):
        batch.append(row["prompt"])
        if len(batch) == encoder.data.preprocessing_batch_size:
            count_blocks(encoder, batch, found)
            batch = []
    if batch:
        count_blocks(encoder, batch, found)
    return found


def count_blocks(encoder: Any, batch: list[list[dict[str, str]]], found: dict[str, int]) -> None:
    """One batch, of which LLaMA-Factory drops what fills no block."""
    texts = [messages[0]["content"] + encoder.tokenizer.eos_token for messages in batch]
    lengths = [len(ids) for ids in encoder.tokenizer(texts, add_special_tokens=False)["input_ids"]]
    encoder.data.cutoff_len = encoder.cutoff
    kept = encoder.processor.preprocess_dataset({"_prompt": batch})["input_ids"]
    found["tokens"] += sum(lengths)
    found["kept"] += sum(map(len, kept))
    found["blocks"] += len(kept)
    if not encoder.data.packing:
        over = [length - encoder.cutoff for length in lengths if length > encoder.cutoff]
        found["cut"] += len(over)
        found["lost"] += sum(over)


def rows(path: str) -> Iterator[dict[str, Any]]:
    """The rows, one a line."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        yield from map(json.loads, file)
