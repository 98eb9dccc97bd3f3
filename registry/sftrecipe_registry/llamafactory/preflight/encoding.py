"""What the training environment's own tokenizer, template and encoding make of the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Finding, PluginRefused, Text, Texts
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.preflight.data import Spool
from sftrecipe_registry.llamafactory.preflight.tally import State
from sftrecipe_registry.llamafactory.preflight.thoughts import counted_rows, thought_findings
from sftrecipe_registry.llamafactory.training.variables import training_variables
from sftrecipe_registry.shared.processes.process_result import finished_process

texts = Texts(__package__)

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


def encoding_report(
    python: Path, settings: Settings, folder: Path, rows: Path
) -> Mapping[str, Any]:
    """What worker.py tells of the spooled rows. Raises PluginRefused where it fails."""
    asked = {
        "stage": settings.get("stage", "sft"),
        "model": {name: settings[name] for name in _MODEL if name in settings},
        "data": {name: settings[name] for name in _DATA if name in settings},
        "all": dict(settings),
    }
    done = finished_process(
        [str(python), str(_WORKER), json.dumps(asked), str(rows)],
        SECONDS,
        cwd=folder,
        env={**training_variables(python, {}), "HF_HUB_OFFLINE": "1"},
    )
    if done is None:
        raise PluginRefused(texts("stopped", python=python, seconds=SECONDS))
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else texts("no-message")
        raise PluginRefused(texts("cannot-encode", python=python, last=last))
    try:
        report: dict[str, Any] = json.loads((done.stdout.splitlines() or [""])[-1])
    except ValueError as error:
        raise PluginRefused(texts("told-nothing", python=python)) from error
    return report


def encoding_findings(
    settings: Settings, report: Mapping[str, Any], spool: Spool
) -> Iterator[Finding]:
    """Rows that are cut, that fail in the end, or that hold the model's control tokens."""
    seen = report["texts"]
    cutoff = settings.get("cutoff_len", 2048)
    for name, found in seen["failed"].items():
        text = texts("not-encoded", name=name, rows=counted_rows(found["rows"]))
        advice = texts("repair-or-other-template")
        yield Finding("fault", "encoding_rows", text, advice, tuple(found["examples"]))
    yield from thought_findings(settings, seen["thoughts"])
    for name, found in seen["cut"].items():
        yield _cut(name, found, seen, cutoff)
    yield from _empty(seen, cutoff, _longer(seen))
    for name, found in seen["marked"].items():
        text = texts("with-control-tokens", name=name, rows=counted_rows(found["rows"]))
        advice = texts("write-token-apart")
        yield Finding("warning", "control_tokens", text, advice, tuple(found["examples"]))
    if "blocks" in report and seen["rows"]:
        yield from _block_findings(settings, report["blocks"], cutoff)
    if spool.left_out:
        text = texts("further-rows", left=spool.left_out, rows=spool.rows)
        yield Finding("warning", "truncation", text)


def _empty(seen: Mapping[str, Any], cutoff: object, longer: Text) -> Iterator[Finding]:
    """Rows of which nothing is left to learn."""
    all_empty = sum(found["rows"] for found in seen["empty"].values()) == seen["rows"]
    state: State = "fault" if all_empty else "warning"
    for name, found in seen["empty"].items():
        slug = "row-nothing-to-learn" if found["rows"] == 1 else "rows-nothing-to-learn"
        text = texts(slug, name=name, rows=counted_rows(found["rows"]), cutoff=cutoff)
        yield Finding(state, "truncation", text, longer, tuple(found["examples"]))


def _cut(name: str, found: Mapping[str, Any], seen: Mapping[str, Any], cutoff: object) -> Finding:
    """Rows that are cut: where most of a data set lose their end, no answer learns to stop."""
    rows, amount = counted_rows(found["rows"]), found["amount"]
    endless, of = seen["endless"].get(name, {"rows": 0})["rows"], seen["rows_of"][name]
    slug = "cut"
    if endless:
        slug = "cut-one-end" if endless == 1 else "cut-ends"
    most = endless * 2 > of
    text = texts(
        "cut-most-ends" if most else slug,
        name=name,
        rows=rows,
        cutoff=cutoff,
        amount=amount,
        endless=counted_rows(endless),
        count=endless,
        of=of,
    )
    state: State = "fault" if most else "warning"
    return Finding(state, "truncation", text, _longer(seen), tuple(found["examples"]))


def _longer(seen: Mapping[str, Any]) -> Text:
    """The `cutoff_len` that keeps every row whole, and one that does for nearly all."""
    lengths = sorted(length for found in seen["lengths"].values() for length in found)
    if not lengths:
        return texts("raise-cutoff")
    most, rows = _rounded(lengths[-1]), seen["rows"]
    over = rows // 100
    nearly = _rounded(lengths[-1 - over]) if over < len(lengths) else most
    if nearly < most:
        return texts("write-cutoff-or", cutoff=most, nearly=nearly, left=over)
    return texts("write-cutoff", cutoff=most)


def _rounded(length: int) -> int:
    """Above the length, since a row that fills the limit counts as cut; a multiple of 64."""
    return (length // 64 + 1) * 64


def _block_findings(
    settings: Settings, blocks: Mapping[str, int], cutoff: object
) -> Iterator[Finding]:
    """Pre-training: texts are packed into blocks, and what fills none is dropped."""
    tokens, lost = blocks["tokens"], blocks["tokens"] - blocks["kept"]
    if settings.get("packing") is False:
        if blocks["cut"]:
            rows = counted_rows(blocks["cut"])
            text = texts("texts-cut", rows=rows, cutoff=cutoff, amount=blocks["lost"])
            yield Finding("warning", "truncation", text, texts("raise-cutoff"))
    elif not blocks["kept"]:
        text = texts("no-block", tokens=tokens, cutoff=cutoff)
        yield Finding("fault", "truncation", text, texts("lower-cutoff-or-packing"))
    elif lost * 10 > tokens:
        text = texts("blocks-lose", lost=lost, tokens=tokens, cutoff=cutoff)
        yield Finding("warning", "truncation", text, texts("lower-cutoff-or-batch"))
