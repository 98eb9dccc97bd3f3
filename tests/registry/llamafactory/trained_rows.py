"""What LLaMA-Factory trains on, row by row, beside what the preflight's worker says of the same.

Run by the training environment's python, never imported by a test: standard input is JSON,

    {"model": "FOLDER", "worker": ".../preflight/worker.py", "cases": [
        {"folder": "out", "dataset": "demo", "stage": "sft", "rows": "spooled.jsonl",
         "data": {"template": "qwen3", "cutoff_len": 100000}}]}

One line is printed: for every case its `report` (the worker's, of all rows) and `rows`, of each the
`error` that LLaMA-Factory stops with, or its text (`whole`), what is `learned` of it, and whether
the worker has the `same` tokens and labels.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

IGNORED_LABEL = -100
STAGES = {"dpo": "rm"}


def main() -> None:
    """Answer the cases of standard input."""
    asked = json.loads(sys.stdin.read())
    with contextlib.redirect_stdout(sys.stderr):
        worker, module = loaded(asked["worker"]), tokenizer_module(asked["model"])
        # A template adds its tokens to the tokenizer.
        answers = [answer(case, copy.deepcopy(module), worker) for case in asked["cases"]]
    sys.stdout.write(json.dumps(answers) + "\n")


def loaded(path: str) -> ModuleType:
    """The worker as a module."""
    spec = importlib.util.spec_from_file_location("preflight_worker", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tokenizer_module(model: str) -> dict[str, Any]:
    """The model's tokenizer, and its processor where it has one."""
    from llamafactory.hparams import (  # type: ignore[import-not-found]  # noqa: PLC0415
        ModelArguments,
    )
    from llamafactory.model import (  # type: ignore[import-not-found]  # noqa: PLC0415
        load_tokenizer,
    )

    module: dict[str, Any] = load_tokenizer(ModelArguments(model_name_or_path=model))
    return module


def answer(case: dict[str, Any], module: dict[str, Any], worker: ModuleType) -> dict[str, Any]:
    """Encode a data set twice: as LLaMA-Factory does, and as the worker does."""
    from llamafactory.data import (  # type: ignore[import-not-found]  # noqa: PLC0415
        get_template_and_fix_tokenizer,
        loader,
    )
    from llamafactory.hparams import (  # type: ignore[import-not-found]  # noqa: PLC0415
        DataArguments,
    )

    arguments = DataArguments(dataset_dir=case["folder"], media_dir=case["folder"], **case["data"])
    template = get_template_and_fix_tokenizer(module["tokenizer"], arguments)
    stage = STAGES.get(case["stage"], case["stage"])
    processor = loader._get_dataset_processor(arguments, stage, template, *module.values())
    settings = {"stage": case["stage"], "data": case["data"]}
    encoder = worker.Encoder(settings, template, module)
    with Path(case["rows"]).open(encoding="utf-8") as file:
        spooled = [json.loads(line) for line in file]
    converted = rows_of(case, arguments)
    rows = [
        row(one, other, processor, encoder, module["tokenizer"])
        for one, other in zip(converted, spooled, strict=True)
    ]
    return {"report": worker.look_at_rows(encoder, case["rows"], []), "rows": rows}


def rows_of(case: dict[str, Any], arguments: Any) -> list[dict[str, Any]]:
    """The rows of a JSON data set, by LLaMA-Factory's catalogue and converter."""
    from llamafactory.data.converter import (  # type: ignore[import-not-found]  # noqa: PLC0415
        get_dataset_converter,
    )
    from llamafactory.data.parser import (  # type: ignore[import-not-found]  # noqa: PLC0415
        get_dataset_list,
    )

    (attributes,) = get_dataset_list([case["dataset"]], case["folder"])
    convert = get_dataset_converter(attributes.formatting, attributes, arguments)
    rows = json.loads((Path(case["folder"]) / attributes.dataset_name).read_text("utf-8"))
    names = {name for each in rows for name in each}
    return [convert({**dict.fromkeys(names), **each}) for each in rows]


def row(
    converted: dict[str, Any],
    spooled: dict[str, Any],
    processor: Any,
    encoder: Any,
    tokenizer: Any,
) -> dict[str, Any]:
    """One row, by both."""
    try:
        made = processor.preprocess_dataset({name: [value] for name, value in converted.items()})
    except Exception as error:  # whatever it raises is the answer
        theirs = f"{type(error).__name__}: {error}"
        try:
            encoder.sequences(spooled, 1 << 40)
        except Exception as ours:  # the same, then
            return {"error": theirs, "same": theirs == f"{type(ours).__name__}: {ours}"}
        return {"error": theirs, "same": False}
    prefixes = ("chosen_", "rejected_") if "chosen_input_ids" in made else ("",)
    found = [(made[f"{name}input_ids"][0], made[f"{name}labels"][0]) for name in prefixes]
    ours = encoder.sequences(spooled, processor.data_args.cutoff_len)
    learned = [[token for token in labels if token != IGNORED_LABEL] for _, labels in found]
    return {
        "error": None,
        "same": [(list(one), list(two)) for one, two in ours] == found,
        "whole": [tokenizer.decode(tokens) for tokens, _ in found],
        "learned": [tokenizer.decode(tokens) for tokens in learned],
    }


if __name__ == "__main__":
    main()
