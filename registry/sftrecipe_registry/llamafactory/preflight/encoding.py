"""What the training environment's own tokenizer, template and encoding make of the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Finding, PluginRefused
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.preflight.data import CONTROL_TOKEN, Spool
from sftrecipe_registry.llamafactory.preflight.thoughts import thought_findings
from sftrecipe_registry.llamafactory.training.variables import training_variables
from sftrecipe_registry.shared.processes.process_result import finished_process

_WORKER = Path(__file__).with_name("worker.py")
_MODEL = (
    *("model_name_or_path", "adapter_name_or_path", "trust_remote_code", "cache_dir"),
    *("model_revision", "use_fast_tokenizer", "split_special_tokens", "add_tokens"),
    *("add_special_tokens", "new_special_tokens_config", "resize_vocab"),
)
_DATA = (
    *("template", "cutoff_len", "train_on_prompt", "mask_history", "packing", "neat_packing"),
    *("tool_format", "default_system", "enable_thinking", "preserve_thinking"),
    "preprocessing_batch_size",
)
"""The arguments that the tokenizer, the template and the encoding depend on."""
SECONDS = 1800.0
"""It is given so many rows at most (see Spool) that what takes longer stands still."""
_REPAIR = "remove or repair these rows, or take a template that writes them"
_LONGER = "raise cutoff_len, or shorten or remove these rows"


def encoding_report(
    python: Path, settings: Settings, folder: Path, rows: Path
) -> Mapping[str, Any]:
    """What worker.py tells of the spooled rows. Raises PluginRefused where it fails."""
    asked = {
        "stage": settings.get("stage", "sft"),
        "model": {name: settings[name] for name in _MODEL if name in settings},
        "data": {name: settings[name] for name in _DATA if name in settings},
    }
    done = finished_process(
        [str(python), str(_WORKER), json.dumps(asked), str(rows)],
        SECONDS,
        cwd=folder,
        env={**training_variables(python, {}), "HF_HUB_OFFLINE": "1"},
    )
    if done is None:
        raise PluginRefused(
            f"{python} was stopped: it did not encode the rows within {SECONDS:g} s"
        )
    if done.returncode != 0:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise PluginRefused(f"{python} cannot encode the rows: {last}")
    try:
        report: dict[str, Any] = json.loads((done.stdout.splitlines() or [""])[-1])
    except ValueError as error:
        raise PluginRefused(
            f"{python} is no python that works: it ran, and told nothing"
        ) from error
    return report


def encoding_findings(
    settings: Settings, report: Mapping[str, Any], spool: Spool
) -> Iterator[Finding]:
    """Rows that are cut, that fail in the end, or that hold the model's control tokens."""
    texts = report["texts"]
    cutoff = settings.get("cutoff_len", 2048)
    for name, found in texts["failed"].items():
        text = f"data set '{name}': {_rows(found)} cannot be encoded"
        yield Finding("fault", "encoding_rows", text, _REPAIR, tuple(found["examples"]))
    yield from thought_findings(settings, texts["thoughts"])
    for name, found in texts["cut"].items():
        yield _cut(name, found, texts, cutoff)
    all_empty = sum(found["rows"] for found in texts["empty"].values()) == texts["rows"]
    for name, found in texts["empty"].items():
        text = f"data set '{name}': {_rows(found)} {_verb(found)} nothing to learn within "
        text += f"cutoff_len {cutoff}"
        examples = tuple(found["examples"])
        yield Finding("fault" if all_empty else "warning", "truncation", text, _LONGER, examples)
    for name, found in texts["marked"].items():
        text = f"data set '{name}': {_rows(found)} with what the model takes for control tokens"
        advice = CONTROL_TOKEN.advice
        yield Finding("warning", "control_tokens", text, advice, tuple(found["examples"]))
    if "blocks" in report and texts["rows"]:
        yield from _block_findings(settings, report["blocks"], cutoff)
    if spool.left_out:
        text = f"{spool.left_out} further rows are not encoded: {spool.rows} were"
        yield Finding("warning", "truncation", text)


def _cut(name: str, found: Mapping[str, Any], texts: Mapping[str, Any], cutoff: object) -> Finding:
    endless = texts["endless"].get(name, {"rows": 0})["rows"]
    text = f"data set '{name}': {_rows(found)} longer than cutoff_len {cutoff}: "
    text += f"{found['amount']} tokens are cut off"
    if endless:
        text += f", and {_rows({'rows': endless})} lose{'s' * (endless == 1)} the end token"
    return Finding("warning", "truncation", text, _LONGER, tuple(found["examples"]))


def _block_findings(
    settings: Settings, blocks: Mapping[str, int], cutoff: object
) -> Iterator[Finding]:
    """Pre-training: texts are packed into blocks, and what fills none is dropped."""
    lost = blocks["tokens"] - blocks["kept"]
    if settings.get("packing") is False:
        if blocks["cut"]:
            text = f"{_rows({'rows': blocks['cut']})} longer than cutoff_len {cutoff}: "
            text += f"{blocks['lost']} tokens are cut off"
            yield Finding("warning", "truncation", text, _LONGER)
    elif not blocks["kept"]:
        text = f"all texts have {blocks['tokens']} tokens, which fill no block of {cutoff}"
        advice = "lower cutoff_len, write packing: false, or add texts"
        yield Finding("fault", "truncation", text, advice)
    elif lost * 10 > blocks["tokens"]:
        text = f"{lost} of {blocks['tokens']} tokens fill no block of {cutoff} and are dropped"
        advice = "lower cutoff_len, or raise preprocessing_batch_size"
        yield Finding("warning", "truncation", text, advice)


def _rows(found: Mapping[str, Any]) -> str:
    return f"{found['rows']} row{'s' * (found['rows'] != 1)}"


def _verb(found: Mapping[str, Any]) -> str:
    return "has" if found["rows"] == 1 else "have"
