"""A run's folder as a training leaves it: a tiny model with its adapter, and `run.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.tiny_llama import make

SECRET = "hf_notToBeSeenAnywhere"
ROW = "Ward 7 may be visited from 3 pm."


def finished_run(project: Path, **changes: Any) -> Path:
    """Make `runs/clinic` in a project, and its recipe beside; the recipe."""
    (project / "dataset_info.json").write_text("{}", "utf-8")
    document = _document(project) | changes
    recipe = project / "clinic.yaml"
    recipe.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    out = project / "runs" / "clinic"
    model = make(out / "models" / ("ab" * 16) / "merged")
    _adapter(model.parent, project)
    (model / "training_args.bin").write_bytes(b"pickled: /home/somebody")
    facts = {"model": str(model.relative_to(out)), "metrics": {"train_loss": 0.31}}
    losses = {"losses": [[5, 1.677], [40, 0.0018]], "held_out_losses": [[40, 0.9]]}
    data_set = {"name": "clinic", "rows": 48, "contents": {"clinic.json": "e171"}}
    figures = {"tuned_contains": 0.5, "tuned_contains_low": 0.25, "tuned_contains_high": 0.75}
    gate = {"metric": "tuned_contains", "value": 0.5, "at_least": 0.6, "passed": False}
    steps = [
        _step("clinic", "sources", "jsonl", made=60, kept=60, makes=["clinic"]),
        _step("short", "filter", "length", reads=["clinic"], made=60, kept=48),
        _step("export", "export", "llamafactory", notes={"data_sets": [data_set]}),
        _step(
            "train", "train", "llamafactory", after=["export"], notes=facts | losses | {"files": {}}
        ),
        _step(
            "facts", "evaluate", "reference", reads=["exam"], made=12,
            notes={"metrics": figures}, gates=[gate],
        ),
    ]  # fmt: skip
    run = {
        "name": "clinic", "status": "done", "recipe": str(recipe), "document": document,
        "steps": steps, "versions": {"python": "3.11.7", "sftrecipe": "0.1.0"},
    }  # fmt: skip
    (out / "run.json").write_text(json.dumps(run), "utf-8")
    return recipe


def _document(project: Path) -> dict[str, Any]:
    settings = {
        "stage": "sft", "model_name_or_path": "Qwen/Qwen2.5-0.5B", "template": "qwen",
        "deepspeed": f"{project}/secret-place/ds.json", "learning_rate": 0.001,
    }  # fmt: skip
    return {
        "version": 1, "name": "clinic", "description": "A clinic's answers", "language": "en",
        "providers": {"teacher": {"use": "openai", "model": "gpt-5", "api_key": SECRET}},
        "sources": {"clinic": {"use": "jsonl", "path": f"{project}/private/clinic.jsonl"}},
        "filter": [{"id": "short", "use": "length", "with": {"max": 100}}],
        "export": [{"id": "export", "use": "llamafactory"}],
        "train": {"use": "llamafactory", "with": settings},
        "evaluate": [{"id": "facts", "use": "reference", "on": "exam"}],
    }  # fmt: skip


def _step(name: str, section: str, use: str, **facts: Any) -> dict[str, Any]:
    return {"id": name, "section": section, "use": use, "key": f"{name}-key", **facts}


def _adapter(folder: Path, project: Path) -> None:
    told = {"peft_type": "LORA", "base_model_name_or_path": f"{project}/models/base"}
    (folder / "adapter_config.json").write_text(json.dumps(told), "utf-8")
    (folder / "adapter_model.safetensors").write_bytes((8).to_bytes(8, "little") + b"{}      ")
    (folder / "tokenizer.json").write_bytes((folder / "merged" / "tokenizer.json").read_bytes())
