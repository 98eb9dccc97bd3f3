"""The model and its tokenizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from .texts import Unfit

_WRITERS = ("ForCausalLM", "LMHeadModel")
"""How the names of architectures end that write text."""
_RATERS = ("ForSequenceClassification",)
_NO_TOOLS = "the chat template knows no calls of tools"
_NO_TEMPLATE = (
    "the model's tokenizer has no chat template: set the provider's chat_template, or ask for raw "
    "completion"
)


class Loaded:
    """A model, ready to be used, and what it is."""

    def __init__(
        self, model: str, revision: str | None, device: str, dtype: str, chat_template: str | None
    ) -> None:
        config = AutoConfig.from_pretrained(model, revision=revision)
        names = config.architectures or [""]
        self.name = model
        self.revision = revision
        self.writes = names[0].endswith(_WRITERS)
        self.rates = names[0].endswith(_RATERS)
        self.device = device if device != "auto" else _device()
        self.tokenizer = AutoTokenizer.from_pretrained(model, revision=revision)
        self._chat_template = chat_template
        if dtype == "auto":  # few CPUs compute faster in half precision
            dtype = "float32" if self.device == "cpu" else "bfloat16"
        kind = AutoModel
        if self.writes or self.rates:
            kind = AutoModelForCausalLM if self.writes else AutoModelForSequenceClassification
        self.model = kind.from_pretrained(model, revision=revision, dtype=getattr(torch, dtype))
        self.model.to(self.device).eval()
        self.context: int = getattr(config, "max_position_embeddings", None) or 1 << 20

    def chat_tokens(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        answered: bool = False,
    ) -> list[int]:
        """Chat turns by the chat template, up to where the model answers, or with its answer.

        Raises Unfit without turns, without a template, or with tools that it does not know.
        """
        if not messages:
            raise Unfit("the list of messages is empty")
        template = self._chat_template or self.tokenizer.chat_template
        if not template:
            raise Unfit(_NO_TEMPLATE)
        called = any(turn.get("tool_calls") or turn["role"] == "tool" for turn in messages)
        if (tools and "tools" not in str(template)) or (called and "tool" not in str(template)):
            raise Unfit(_NO_TOOLS)
        text = self.tokenizer.apply_chat_template(
            messages,
            chat_template=self._chat_template,
            tools=list(tools) or None,
            add_generation_prompt=not answered,
            tokenize=False,
        )
        tokens: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return tokens


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"
