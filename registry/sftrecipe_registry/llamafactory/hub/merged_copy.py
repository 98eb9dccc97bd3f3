"""A trained model merged anew, in other numbers: LLaMA-Factory's `export`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from sftrecipe.plugin import ModelCopy, PluginRefused, Texts
from sftrecipe_registry.llamafactory.training.merge import export_settings, of_the_model
from sftrecipe_registry.llamafactory.training.output import MERGED, model_stands
from sftrecipe_registry.llamafactory.training.process import failure, run_command
from sftrecipe_registry.shared.models.gguf_model import GGUF_NUMBERS

texts = Texts(__package__)
_TELL = 10.0
"""Seconds between two words that it goes on."""
MERGED_NUMBERS: Mapping[str, str] = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
"""LLaMA-Factory's `infer_dtype` by the user's word."""


async def write_merged(copy: ModelCopy) -> None:
    """Write the model into a folder; an adapter is merged into its base anew, so that nothing of
    its digits is lost twice. Raises PluginRefused with LLaMA-Factory's own last words."""
    _check_numbers(copy.numbers)
    config = copy.run / ("train.yaml" if copy.id == "train" else f"train-{copy.id}.yaml")
    given: dict[str, Any] = yaml.safe_load(config.read_text("utf-8"))
    if "model_name_or_path" not in given:
        raise PluginRefused(texts("merged-by-v1"))
    unfinished = copy.target.with_name(f"{copy.target.name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    settings = {**_settings(copy, given, unfinished), "infer_dtype": MERGED_NUMBERS[copy.numbers]}
    export = copy.target.with_name(f"{copy.target.name}.yaml")
    log = export.with_suffix(".log")
    export.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), "utf-8")
    log.unlink(missing_ok=True)
    status = await run_command(
        ["export", str(export)],
        copy.run,
        log,
        settings={},
        allowed=(),
        look=_progress(copy),
    )
    if not model_stands(unfinished):
        raise failure(texts("copy-not-merged", status=status), log)
    unfinished.rename(copy.target)
    export.unlink()
    log.unlink(missing_ok=True)


def _progress(copy: ModelCopy) -> Callable[[float], None]:
    told = 0.0

    def look(seconds: float) -> None:
        nonlocal told
        if seconds - told >= _TELL:
            told = seconds
            copy.say(f"merging: {seconds:.0f} s")

    return look


def _settings(copy: ModelCopy, given: Mapping[str, Any], target: Path) -> dict[str, Any]:
    if copy.model.name == MERGED:
        return export_settings(given, str(copy.model.parent), str(target))
    kept = of_the_model(given)
    return {**kept, "model_name_or_path": str(copy.model), "export_dir": str(target)}


def _check_numbers(numbers: str) -> None:
    """Raises PluginRefused for numbers that it does not write here."""
    if numbers in MERGED_NUMBERS:
        return
    known = ", ".join(MERGED_NUMBERS)
    if numbers in GGUF_NUMBERS or numbers.startswith(("q", "int", "4", "8", "gptq", "awq")):
        raise PluginRefused(texts("quantized-elsewhere", numbers=numbers, known=known))
    raise PluginRefused(texts("numbers-unknown", numbers=numbers, known=known))
