"""Data sets with something wrong in them, preflighted as the engine does it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sftrecipe import Context
from sftrecipe.plugin import DataSet, Finding, Training
from sftrecipe.testing import plain_files
from sftrecipe_registry.llamafactory.trainer import LlamaFactory

MODEL = "some/model"
Content = bytes | str | Sequence[Any] | Mapping[str, Any]


def write_data(folder: Path, file: str, content: Content, entry: Mapping[str, Any]) -> None:
    """A file, and its entry under the file's stem."""
    folder.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    (folder / file).write_bytes(content)
    catalogue = folder / "dataset_info.json"
    entries = json.loads(catalogue.read_text()) if catalogue.exists() else {}
    name = file.split(".", maxsplit=1)[0]
    catalogue.write_text(json.dumps({**entries, name: {"file_name": file, **entry}}))


def preflight(folder: Path, data: Sequence[DataSet] = (), **arguments: Any) -> list[Finding]:
    """What is found of a train.yaml with these arguments, written by the trainer itself."""
    folder.mkdir(parents=True, exist_ok=True)
    given = {"model_name_or_path": MODEL, "template": "smollm2", **arguments}
    trainer = LlamaFactory.model_validate(given)
    training = Training(data, folder, Context("train", seed=7), plain_files(folder))
    trainer.write_config(training)
    return list(trainer.preflight(training))


def preflight_as_written(folder: Path, **arguments: Any) -> list[Finding]:
    """The same of a train.yaml that says just this, as after a change by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.yaml").write_text(yaml.safe_dump(arguments))
    training = Training((), folder, Context("train", seed=7), plain_files(folder))
    return list(LlamaFactory.model_validate({}).preflight(training))


def told(findings: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """State, check and message of all but that there is no environment."""
    return [
        (each.state, each.check, each.message) for each in findings if each.check != "environment"
    ]


def faults(findings: Sequence[Finding]) -> list[Finding]:
    """Those that refuse the training."""
    return [each for each in findings if each.state == "fault"]
