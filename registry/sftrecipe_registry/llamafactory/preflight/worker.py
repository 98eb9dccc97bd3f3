"""Encodes rows with LLaMA-Factory's own code: `python worker.py SETTINGS ROWS`.

A process of the training environment, which has LLaMA-Factory and not this package. SETTINGS is
JSON: `stage`, and the arguments of LLaMA-Factory's `model` and `data` that the template, the
tokenizer and the encoding depend on. ROWS is a file with a converted row a line. What it finds is
printed as one line of JSON; see `main`.
"""

from __future__ import annotations

import copy
import json
import os
import re
import runpy
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from llamafactory.data import get_template_and_fix_tokenizer  # type: ignore[import-not-found]
from llamafactory.data.loader import _get_dataset_processor  # type: ignore[import-not-found]
from llamafactory.data.template import (  # type: ignore[import-not-found]
    TEMPLATES,
    ReasoningTemplate,
)
from llamafactory.hparams import DataArguments, ModelArguments  # type: ignore[import-not-found]
from llamafactory.model import load_tokenizer  # type: ignore[import-not-found]

SHOWN = 3
LEARNED_NOT = -100
ANSWERING = ("assistant", "function")
UNCUT = 1 << 40
TALK = [
    ("user", "First question?"),
    ("assistant", "First answer."),
    ("user", "Second question?"),
    ("assistant", "Second answer."),
]
KINDS = (("with_system", "Be short."), ("without_system", ""))
"""The conversation, as the report calls it, and its system prompt."""


class Counted:
    """Rows of one data set that have something, with the first ones."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def add(self, name: str, place: str, value: str | None = None, amount: int = 0) -> None:
        """Count a row; the first ones are kept."""
        found = self.found.setdefault(name, {"rows": 0, "amount": 0, "examples": []})
        found["rows"] += 1
        found["amount"] += amount
        if len(found["examples"]) < SHOWN:
            found["examples"].append(place if value is None else f"{place}: {value}")


class Pieces:
    """A tokenizer whose tokens are a template's pieces as they are: what is learned, as text."""

    def __init__(self, tokenizer: Any) -> None:
        self.bos_token_id = tokenizer.bos_token
        self.eos_token_id = tokenizer.eos_token

    def encode(self, text: str, **_: Any) -> list[str]:
        """One token."""
        return [text]

    def convert_tokens_to_ids(self, token: str) -> str:
        """The token itself."""
        return token


class Encoder:
    """LLaMA-Factory's processor for a stage, with and without its limit."""

    def __init__(self, settings: dict[str, Any], template: Any, module: dict[str, Any]) -> None:
        self.stage = {"dpo": "rm"}.get(settings["stage"], settings["stage"])
        self.data = DataArguments(**settings["data"])
        # As hparams/parser.py does it.
        if self.data.packing is None:
            self.data.packing = self.stage == "pt"
        self.cutoff = self.data.cutoff_len
        self.tokenizer = module["tokenizer"]
        self.template = template
        self.processor = _get_dataset_processor(
            self.data, self.stage, template, self.tokenizer, module["processor"]
        )
        self.pieces = _get_dataset_processor(
            self.data, self.stage, template, Pieces(self.tokenizer), module["processor"]
        )
        self.least = self._length([("user", ""), ("assistant", "")])
        """Tokens of a turn and its answer without their texts, and the default system prompt."""

    def _length(self, turns: list[tuple[str, str]]) -> int:
        return sum(len(part) for part in encoded(self.template, self.tokenizer, turns, "", UNCUT))

    def may_be_cut(self, row: dict[str, Any]) -> bool:
        """Whether a row could have more tokens than the limit: a token has a byte at least."""
        turns = [*row["prompt"], *row["response"]]
        size = sum(len(turn["content"].encode()) for turn in turns) + len(row["system"].encode())
        size += (len(turns) + 1) * (self.least + 4)
        return bool(row["tools"]) or any(row["media"]) or size >= self.cutoff

    def sequences(
        self, row: dict[str, Any], cutoff: int, *, as_text: bool = False
    ) -> list[tuple[list[Any], list[Any]]]:
        """What is learned from a row, as (tokens, labels): two where there are two answers."""
        self.data.cutoff_len = cutoff
        common: tuple[Any, ...] = (row["system"], row["tools"], *row["media"])
        prompt, response = copy.deepcopy(row["prompt"]), copy.deepcopy(row["response"])
        encode = (self.pieces if as_text else self.processor)._encode_data_example
        if self.stage == "kto":
            pair = [*response, {"role": "assistant", "content": ""}]
            tokens, labels, *_ = encode(prompt, pair, pair, *common)
            return [(tokens, labels)]
        found = encode(prompt, response, *common)
        if self.stage == "rm":
            return [(found[0], found[1]), (found[2], found[3])]
        if self.stage == "ppo":
            return [(found[0], found[0])]
        return [(found[0], found[1])]


def encoded(
    template: Any, tokenizer: Any, turns: list[tuple[str, str]], system: str, _: int = 0
) -> list[list[int]]:
    """The turns as LLaMA-Factory writes them, token by token."""
    messages = [{"role": role, "content": content} for role, content in turns]
    pairs = template.encode_multiturn(tokenizer, messages, system, "")
    end = [[tokenizer.eos_token_id]] if template.efficient_eos else []
    return [part for pair in pairs for part in pair] + end


def machine() -> dict[str, Any]:
    """What it would train on, and with."""
    has = torch.cuda.is_available()
    names = [torch.cuda.get_device_name(each) for each in range(torch.cuda.device_count())]
    return {
        "gpus": names if has else [],
        "bf16": bool(has and torch.cuda.is_bf16_supported()),
        "packages": sorted({each.name for each in metadata.distributions() if each.name}),
    }


def own_renderings(tokenizer: Any) -> dict[str, Any]:
    """What the model's own chat template makes of a conversation, before LLaMA-Factory's."""
    if not tokenizer.chat_template:
        return {"template": None}
    found: dict[str, Any] = {"template": True, "vocabulary": len(tokenizer)}
    for key, system in KINDS:
        messages = [{"role": "system", "content": system}] if system else []
        messages += [{"role": role, "content": content} for role, content in TALK]
        try:
            found[key] = tokenizer.apply_chat_template(messages, tokenize=False)
        except Exception as error:  # a template may raise whatever it likes
            found[key] = None
            found["refused"] = f"{type(error).__name__}: {error}"
    return found


def trained_renderings(template: Any, tokenizer: Any) -> dict[str, Any]:
    """The same conversation as LLaMA-Factory trains on it."""
    texts = {key: rendered(template, tokenizer, system) for key, system in KINDS}
    return {"vocabulary": len(tokenizer), **texts}


def rendered(template: Any, tokenizer: Any, system: str) -> str:
    """The conversation as text."""
    tokens = [token for part in encoded(template, tokenizer, TALK, system) for token in part]
    return str(tokenizer.decode(tokens, skip_special_tokens=False))


def other_renderings(tokenizer: Any) -> dict[str, dict[str, str]]:
    """What every template of LLaMA-Factory makes of it; those that cannot are left out."""
    found: dict[str, dict[str, str]] = {key: {} for key, _ in KINDS}
    for name, template in sorted(TEMPLATES.items()):
        for key, system in KINDS:
            try:
                found[key][name] = rendered(template, tokenizer, system)
            except Exception:  # noqa: S112 - tokens that this tokenizer lacks
                continue
    return found


def control_tokens(tokenizer: Any) -> list[str]:
    """Texts that the tokenizer takes for control tokens, and one that LLaMA-Factory replaces."""
    added = [str(each) for each in tokenizer.added_tokens_decoder.values() if each.special]
    return sorted({*added, *tokenizer.all_special_tokens}, key=len, reverse=True)


class Thoughts:
    """What becomes of the rows' thoughts, seen in what the template writes."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.template = encoder.template
        self.reasons = isinstance(self.template, ReasoningTemplate)
        self.words = tuple(self.template.thought_words)
        self.marks = [word.strip() for word in self.words]
        self.begins = re.compile(".*?".join(map(re.escape, self.marks)), re.DOTALL)
        names = ("thinking", "plain", "foreign", "spaced", "empty", "lost", "earlier", "spoken")
        self.found = {name: Counted() for name in names}

    def told(self) -> dict[str, Any]:
        """The report of all rows."""
        counts = {name: counted.found for name, counted in self.found.items()}
        return {"reasons": self.reasons, "words": self.words, **counts}

    def look(self, row: dict[str, Any]) -> None:
        """Count a row. Raises whatever LLaMA-Factory stops with."""
        turns = [*row["prompt"], *row["response"]]
        thoughts = self.thoughts(turns, row["thoughts"])
        self.add(row, "thinking" if thoughts else "plain")
        if not (self.reasons or thoughts or any(turn["role"] == ANSWERING[1] for turn in turns)):
            return
        sequences = self.encoder.sequences(row, UNCUT, as_text=True)
        if self.reasons and self.encoder.stage != "ppo":
            self.compare(row, turns, thoughts, sequences)

    def thoughts(self, turns: list[dict[str, str]], given: dict[str, int]) -> dict[int, str]:
        """Turns with a thought, and their texts as far as it reaches."""
        found = {int(at): turns[int(at)]["content"][:length] for at, length in given.items()}
        for at, turn in enumerate(turns):
            own = self.begins.match(turn["content"]) if turn["role"] in ANSWERING else None
            if own is not None:
                found[at] = own[0]
        return found

    def compare(
        self,
        row: dict[str, Any],
        turns: list[dict[str, str]],
        thoughts: dict[int, str],
        sequences: list[tuple[list[Any], list[Any]]],
    ) -> None:
        """Look for the thoughts in what is written, and for empty ones in what is learned."""
        whole = "".join(piece for pieces, _ in sequences for piece in pieces)
        last = len(row["prompt"])
        gone = [at for at, thought in thoughts.items() if thought not in whole]
        mine = [at for at in thoughts if any(mark in turns[at]["content"] for mark in self.marks)]
        blank = self.template.add_thought()
        learned = [label for _, labels in sequences for label in labels]
        if len(mine) < len(thoughts):
            self.add(row, "foreign")
        elif any(self.words[0] not in turns[at]["content"] for at in mine):
            self.add(row, "spaced")
        if any(at >= last for at in gone):
            self.add(row, "lost")
        elif gone:
            self.add(row, "earlier", len(gone))
        if blank in learned and len(mine) == len(thoughts):
            self.add(row, "empty")
        others = [
            turn["content"]
            for at, turn in enumerate(turns)
            if turn["role"] in ANSWERING and at not in thoughts
        ]
        if any(mark in text for text in others for mark in self.marks):
            self.add(row, "spoken")

    def add(self, row: dict[str, Any], name: str, amount: int = 0) -> None:
        """Count it under a name."""
        self.found[name].add(row["name"], row["place"], amount=amount)


def look_at_rows(encoder: Encoder, path: str, tokens: list[str]) -> dict[str, Any]:
    """Rows that are cut, that lose their end or everything, that fail, or hold control tokens."""
    cut, endless, empty, failed, marked = (Counted() for _ in range(5))
    lengths: dict[str, list[int]] = {}
    counts: dict[str, int] = {}
    thoughts = Thoughts(encoder)
    pattern = re.compile("|".join([*map(re.escape, tokens), re.escape("{{idx}}")]))
    texts = 0
    with open(path, encoding="utf-8") as file:  # noqa: PTH123
        for line in file:
            row = json.loads(line)
            name, place = row["name"], row["place"]
            turns = [*row["prompt"], *row["response"]]
            whole = "\n".join([row["system"], *(turn["content"] for turn in turns)])
            if found := pattern.search(whole):
                marked.add(name, place, found[0])
            texts += 1
            counts[name] = counts.get(name, 0) + 1
            if encoder.stage == "pt":
                continue
            try:
                thoughts.look(row)
                if length := look_at_length(encoder, row, cut, endless, empty):
                    lengths.setdefault(name, []).append(length)
            except Exception as error:  # whatever LLaMA-Factory raises is what it stops with
                failed.add(name, place, f"{type(error).__name__}: {error}"[:200])
    return {
        "rows": texts,
        "rows_of": counts,
        "lengths": {name: sorted(found) for name, found in lengths.items()},
        "cut": cut.found,
        "endless": endless.found,
        "empty": empty.found,
        "failed": failed.found,
        "marked": marked.found,
        "thoughts": thoughts.told(),
    }


def look_at_length(
    encoder: Encoder, row: dict[str, Any], cut: Counted, endless: Counted, empty: Counted
) -> int:
    """Compare a row as it is with what the limit leaves of it; its tokens where it is cut."""
    if not encoder.may_be_cut(row):
        return 0
    whole = encoder.sequences(row, UNCUT)
    if all(len(tokens) < encoder.cutoff for tokens, _ in whole):
        return 0
    left = encoder.sequences(row, encoder.cutoff)
    lost = sum(len(one[0]) - len(two[0]) for one, two in zip(whole, left, strict=True))
    if not lost:
        return 0
    name, place = row["name"], row["place"]
    cut.add(name, place, f"{len(whole[0][0])} tokens", lost)
    if encoder.stage != "ppo":
        if all(label == LEARNED_NOT for _, labels in left for label in labels):
            empty.add(name, place)
        if any(one[0][-2:] != two[0][-2:] for one, two in zip(whole, left, strict=True)):
            endless.add(name, place)
    return max(len(tokens) for tokens, _ in whole)


def main() -> None:
    """Print `machine`, `model`, `own` and `trained` renderings and `texts`, as far as it comes.

    Where the model or the template cannot be read, `error` says why.
    """
    settings = json.loads(sys.argv[1])
    # Libraries print: what they say goes to the log.
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    told: dict[str, Any] = {"machine": machine()}
    told["model"] = part("model_worker")["look"](settings["all"], len(told["machine"]["gpus"]))
    try:
        look(settings, told)
    except Exception as error:  # the caller tells the user what it was
        cause = error.__cause__ or error
        told["error"] = f"{type(cause).__name__}: {cause}"
    report.write(json.dumps(told) + "\n")
    report.flush()


def look(settings: dict[str, Any], told: dict[str, Any]) -> None:
    """Load the tokenizer and the template, and look at the rows."""
    module = load_tokenizer(ModelArguments(**settings["model"]))
    tokenizer = module["tokenizer"]
    tokens = control_tokens(tokenizer)
    told["own"] = own_renderings(tokenizer)
    told["others"] = other_renderings(tokenizer)
    template = get_template_and_fix_tokenizer(tokenizer, DataArguments(**settings["data"]))
    told["trained"] = trained_renderings(template, tokenizer)
    told["tokens"] = tokens
    encoder = Encoder(settings, template, module)
    if settings["model"].get("split_special_tokens"):
        tokens = []
    told["texts"] = look_at_rows(encoder, sys.argv[2], tokens)
    if encoder.stage != "pt":
        rows = told["texts"]["rows"]
        told["row_lengths"] = part("length_worker")["row_lengths"](encoder, sys.argv[2], rows)
    if encoder.stage == "pt":
        told["blocks"] = part("packing_worker")["blocks"](encoder, sys.argv[2])
    elif encoder.data.packing:
        told["packed"] = part("packing_worker")["packed"](encoder, sys.argv[2])


def part(name: str) -> dict[str, Any]:
    """A module beside this one: this process imports nothing from the folders around it."""
    return runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))


if __name__ == "__main__":
    main()
