"""Load data sets with LLaMA-Factory's own loader and say, in JSON, what it made of them.

Run by the training environment's python, never imported by a test. The argument, or else standard
input, is a JSON list of cases:

    {"dataset_dir": "out", "dataset": "a,b", "stage": "sft|pt|rm|dpo|kto", "template": "smollm2",
     "model": "FOLDER", "arguments": {"cutoff_len": 512}}

(`arguments`, which may be left out, are any of its training arguments). One line with the list of
answers is printed, an answer a case: `rows` it read, `examples` left after its own preprocessing
(for pt these are packed blocks), `dropped` rows, `at_cutoff` examples as long as the limit, perhaps
cut, `unlabelled` examples with nothing to learn, its `warnings` with how often each came, the
`first` two examples as runs of text that are `learned` or not, and `error`, null when it loaded.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

IGNORED_LABEL = -100
DROPPED = "Dropped invalid example"
LOADER_STAGES = {"dpo": "rm"}
FIRST = 2


class Warnings(logging.Handler):
    """Keeps what LLaMA-Factory warns about while a case is loaded."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message."""
        self.messages.append(record.getMessage())


def main() -> None:
    """Answer the cases of the command line or of standard input."""
    cases = json.loads(sys.argv[1] if len(sys.argv) > 1 else sys.stdin.read())
    scratch = Path(tempfile.mkdtemp(prefix="llamafactory-loader-"))
    # A cache that outlives the process would hide the warnings of a case already loaded once.
    os.environ["HF_DATASETS_CACHE"] = str(scratch / "cache")
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        # Its prints and progress bars go where they spoil no JSON.
        with contextlib.redirect_stdout(sys.stderr):
            tokenizers: dict[tuple[str, str], Any] = {}
            answers = [answer(case, scratch, tokenizers) for case in cases]
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    sys.stdout.write(json.dumps(answers) + "\n")


def answer(
    case: dict[str, Any], scratch: Path, tokenizers: dict[tuple[str, str], Any]
) -> dict[str, Any]:
    """Load one case and describe what came of it."""
    with collected_warnings() as messages:
        loaded: dict[str, Any] = {"rows": None, "examples": None, "first": []}
        error = None
        try:
            load(case, scratch, tokenizers, loaded)
        except Exception as problem:  # whatever it raises is the answer
            error = f"{type(problem).__name__}: {problem}"
    return {
        **loaded,
        "dropped": sum(message.startswith(DROPPED) for message in messages),
        "warnings": Counter(messages),
        "error": error,
    }


@contextlib.contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """Collect LLaMA-Factory's warnings instead of having them printed."""
    # Its logger's class and handler are made at import.
    import llamafactory.extras.logging  # type: ignore[import-not-found]  # noqa: F401, PLC0415

    logger = logging.getLogger("llamafactory")
    handler = Warnings()
    before = list(logger.handlers)
    logger.handlers[:] = [handler]
    try:
        yield handler.messages
    finally:
        logger.handlers[:] = before


def load(
    case: dict[str, Any],
    scratch: Path,
    tokenizers: dict[tuple[str, str], Any],
    loaded: dict[str, Any],
) -> None:
    """Do what LLaMA-Factory's trainers do up to the data, filling `loaded` as it goes."""
    from llamafactory.data import (  # type: ignore[import-not-found]  # noqa: PLC0415
        get_template_and_fix_tokenizer,
        loader,
    )
    from llamafactory.hparams import (  # type: ignore[import-not-found]  # noqa: PLC0415
        get_train_args,
    )
    from llamafactory.model import (  # type: ignore[import-not-found]  # noqa: PLC0415
        load_tokenizer,
    )

    model, data, training, _, _ = get_train_args(arguments(case, scratch))
    # Reading one takes seconds. A template changes it, the same one only once.
    kept = (repr(model), str(data.template))
    tokenizer_module = tokenizers[kept] = tokenizers.get(kept) or load_tokenizer(model)
    tokenizer = tokenizer_module["tokenizer"]
    template = get_template_and_fix_tokenizer(tokenizer, data)
    preprocess = loader._get_preprocessed_dataset

    def counted(dataset: Any, *others: Any, **named: Any) -> Any:
        loaded["rows"] = len(dataset)
        return preprocess(dataset, *others, **named)

    loader._get_preprocessed_dataset = counted
    try:
        stage = LOADER_STAGES.get(case["stage"], case["stage"])
        module = loader.get_dataset(
            template, model, data, training, stage=stage, **tokenizer_module
        )
    finally:
        loader._get_preprocessed_dataset = preprocess
    loaded.update(described(module["train_dataset"], tokenizer, data.cutoff_len))


def arguments(case: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """Return the training arguments of a case."""
    return {
        "stage": case["stage"],
        "do_train": True,
        "model_name_or_path": case["model"],
        "dataset": case["dataset"],
        "dataset_dir": case["dataset_dir"],
        "template": case["template"],
        "output_dir": str(scratch / "output"),
        "overwrite_cache": True,
        "report_to": "none",
        "use_cpu": True,
        **case.get("arguments", {}),
    }


def described(dataset: Any, tokenizer: Any, cutoff: int) -> dict[str, Any]:
    """Count the examples and show the first ones."""
    at_cutoff = unlabelled = 0
    first: list[dict[str, Any]] = []
    for example in dataset:
        sequences = labelled_sequences(example)
        at_cutoff += any(len(ids) >= cutoff for ids, _ in sequences.values())
        unlabelled += any(not any(learned) for _, learned in sequences.values())
        if len(first) < FIRST:
            shown: dict[str, Any] = {
                name: runs(ids, learned, tokenizer) for name, (ids, learned) in sequences.items()
            }
            if "kto_tags" in example:
                shown["kto_tag"] = example["kto_tags"]
            first.append(shown)
    return {
        "examples": len(dataset),
        "at_cutoff": at_cutoff,
        "unlabelled": unlabelled,
        "first": first,
    }


def labelled_sequences(example: dict[str, Any]) -> dict[str, tuple[list[int], list[bool]]]:
    """Return the token sequences of an example, each token with whether it is learned."""
    sequences = {}
    for name, prefix in (("text", ""), ("chosen", "chosen_"), ("rejected", "rejected_")):
        if f"{prefix}input_ids" in example:
            ids = example[f"{prefix}input_ids"]
            labels = example.get(f"{prefix}labels", ids)  # pt: every token is its own label
            sequences[name] = (ids, [label != IGNORED_LABEL for label in labels])
    return sequences


def runs(ids: list[int], learned: list[bool], tokenizer: Any) -> list[dict[str, Any]]:
    """Return the text in runs of tokens that are all learned or all not."""
    return [
        {
            "text": tokenizer.decode([token for token, _ in run], skip_special_tokens=False),
            "learned": is_learned,
        }
        for is_learned, run in groupby(zip(ids, learned, strict=True), key=lambda pair: pair[1])
    ]


if __name__ == "__main__":
    main()
