"""What transformers, trl and peers say themselves: `python transformers_reference.py WHAT [PATH]`.

Runs in the environment that has torch, with float32; reads JSON and writes JSON. `models` makes
small random models in a folder, with the tokenizer of another folder.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
)
from transformers.generation import logits_process as theirs

REGISTRY = Path(__file__).parents[3] / "registry/sftrecipe_registry"
WORKER = REGISTRY / "providers/transformers/transformers_worker"


def worker(module: str) -> ModuleType:
    """A module of the worker, loaded as the worker loads it."""
    if "transformers_worker" not in sys.modules:
        spec = spec_from_file_location("transformers_worker", WORKER / "__init__.py")
        assert spec is not None
        sys.modules["transformers_worker"] = module_from_spec(spec)
    return import_module(f"transformers_worker.{module}")


def models(asked: dict[str, str], folder: str) -> None:
    """`classifier`, `writer` and `two_labels`, with the tokenizer's files."""
    torch.manual_seed(5)
    sizes = {
        "vocab_size": len(AutoTokenizer.from_pretrained(asked["tokenizer"])),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "initializer_range": 0.3,
        "pad_token_id": None,
    }
    made = {
        "classifier": LlamaForSequenceClassification(LlamaConfig(**sizes, num_labels=1)),
        "two_labels": LlamaForSequenceClassification(LlamaConfig(**sizes, num_labels=2)),
        "writer": LlamaForCausalLM(LlamaConfig(**sizes)),
    }
    for name, model in made.items():
        model.save_pretrained(Path(folder, name))
        for file in Path(asked["tokenizer"]).glob("*token*.json"):
            shutil.copy(file, Path(folder, name))


def generate(asked: list[dict[str, Any]], path: str) -> list[str]:
    """Greedy replies, one prompt at a time, by `model.generate`."""
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    said = []
    for each in asked:
        if "messages" in each:
            text = tokenizer.apply_chat_template(
                each["messages"], add_generation_prompt=True, tokenize=False
            )
        else:
            text = each["prompt"]
        tokens = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        written = model.generate(
            **tokens,
            do_sample=False,
            max_new_tokens=each["max_tokens"],
            repetition_penalty=each.get("repetition_penalty", 1.0),
        )
        new = written[0, tokens["input_ids"].shape[1] :]
        said.append(tokenizer.decode(new, skip_special_tokens=True))
    return said


def _conversation(tokenizer: Any, messages: list[dict[str, str]]) -> Any:
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    return tokenizer(text, return_tensors="pt", add_special_tokens=False)


def classifier_rewards(asked: list[list[dict[str, str]]], path: str) -> list[float]:
    """A reward classifier's logit of every conversation, one at a time."""
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForSequenceClassification.from_pretrained(path, dtype=torch.float32)
    with torch.no_grad():
        return [model(**_conversation(tokenizer, each)).logits[0, 0].item() for each in asked]


def value_rewards(asked: list[list[dict[str, str]]], path: str) -> list[float]:
    """The value of every conversation's last token, by trl's own model."""
    from trl import AutoModelForCausalLMWithValueHead  # noqa: PLC0415 - seconds

    tokenizer = AutoTokenizer.from_pretrained(path)
    writer = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    model = AutoModelForCausalLMWithValueHead.from_pretrained(writer)
    model.load_state_dict(load_file(Path(path, "value_head.safetensors")), strict=False)
    model.eval()
    with torch.no_grad():
        return [model(**_conversation(tokenizer, each))[2][0, -1].item() for each in asked]


def narrowed(asked: list[dict[str, Any]], _: str) -> list[float]:
    """How far the worker's next-token probabilities are from those of transformers' warpers."""
    ours, texts = worker("choosing"), worker("texts")
    torch.manual_seed(1)
    apart = []
    for like in asked:
        logits, tokens = torch.randn(3, 5000) * like.pop("spread"), torch.randint(0, 5000, (3, 9))
        made = [theirs.RepetitionPenaltyLogitsProcessor(like["repetition_penalty"])]
        made += [theirs.TemperatureLogitsWarper(like["temperature"])]
        made += [theirs.TopKLogitsWarper(like["top_k"])] if like["top_k"] else []
        made += [theirs.TopPLogitsWarper(like["top_p"]), theirs.MinPLogitsWarper(like["min_p"])]
        wanted = logits.clone()
        for each in made:
            wanted = each(tokens, wanted)
        named = texts.Like(**like)
        found = ours.penalised(logits, tokens, 9, named) / named.temperature
        odds = ours.narrowed(found.softmax(1), named)
        apart.append(float((odds / odds.sum(1, keepdim=True) - wanted.softmax(1)).abs().max()))
    return apart


def drawn(asked: dict[str, Any], _: str) -> dict[str, float]:
    """Shares of the tokens that the worker draws from given probabilities."""
    ours, texts = worker("choosing"), worker("texts")
    count = asked["count"]
    logits = torch.tensor(asked["odds"]).log()[None].repeat(count, 1)
    generators = [random.Random(seed) for seed in range(count)]
    tokens = torch.zeros(count, 1, dtype=torch.long)
    found = ours.chosen(logits, tokens, 1, texts.Like(), generators)
    return {str(token): found.count(token) / count for token in set(found)}


def penalties(_: object, __: str) -> list[list[float]]:
    """Logits of 1 after the penalties on tokens of the reply: 2 twice, 3 once."""
    ours, texts = worker("choosing"), worker("texts")
    like = texts.Like(presence_penalty=0.5, frequency_penalty=0.25)
    tokens = torch.tensor([[0, 1, 2, 3, 2]])
    found: list[list[float]] = ours.penalised(torch.ones(1, 5), tokens, 2, like).tolist()
    return found


def short_memory(asked: dict[str, int], _: str) -> dict[str, Any]:
    """Batches that are tried, and replies, where more than so many rows do not fit."""
    serving, texts = worker("serving"), worker("texts")
    tried = []

    class Tight:
        def replies(self, batch: list[Any]) -> Any:
            tried.append([text.id for text in batch])
            yield {"id": batch[0].id}
            if len(batch) > asked["fit"]:
                raise torch.OutOfMemoryError("full")
            yield from ({"id": text.id} for text in batch[1:])

    answerers = serving.Answerers.__new__(serving.Answerers)
    answerers._by_kind = {"write": Tight()}
    batch = [texts.Text(number, "write", [1]) for number in range(asked["rows"])]
    replies = [reply["id"] for reply in answerers.replies(batch)]
    return {"tried": tried, "replies": replies}


def main() -> None:
    what, path = sys.argv[1], (sys.argv[2:] or [""])[0]
    json.dump(globals()[what](json.load(sys.stdin), path), sys.stdout)


if __name__ == "__main__":
    main()
