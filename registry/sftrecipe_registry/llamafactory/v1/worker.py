"""Loads and renders data sets with v1's own code: `python worker.py MODEL DATA CUTOFF [TEMPLATE]`.

A process of the training environment, which has LLaMA-Factory and not this package. DATA is the
YAML of the data sets; what it finds is printed as one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

with contextlib.redirect_stdout(sys.stderr):
    import inspect

    import torch
    from llamafactory.v1.core.data_engine import DataEngine  # type: ignore[import-not-found]

    try:
        from llamafactory.v1.core.rendering import Renderer  # type: ignore[import-not-found]
    except ImportError:
        from llamafactory.v1.core.utils.rendering import Renderer  # type: ignore[import-not-found]
    from transformers import AutoProcessor

SHOWN = 3
AT_MOST = 200_000
"""Rows that are rendered; the others are like them."""


def look(model: str, data: str, cutoff: int, template: str | None) -> dict[str, Any]:
    """Every row rendered: how many fail, are cut, or leave nothing to learn."""
    engine = DataEngine(data)
    processor = AutoProcessor.from_pretrained(model)
    # Versions after 0.9.5 render with the model's own chat template.
    takes = inspect.signature(Renderer.__init__).parameters
    renderer = Renderer(template, processor) if "template" in takes else Renderer(processor)
    found: dict[str, Any] = {"rows": len(engine), "tokens": 0, "learned": 0}
    found |= {name: {"rows": 0, "examples": []} for name in ("failed", "cut", "empty")}
    for at in range(min(len(engine), AT_MOST)):
        try:
            [made] = renderer.process_samples([engine[at]])
        except Exception as error:  # whatever v1 raises is what it stops with
            add(found["failed"], at, f"{type(error).__name__}: {error}"[:200])
            continue
        found["tokens"] += min(len(made["input_ids"]), cutoff)
        learned = sum(weight > 0 for weight in made["loss_weights"][:cutoff])
        found["learned"] += learned
        if len(made["input_ids"]) > cutoff:
            add(found["cut"], at, f"{len(made['input_ids'])} tokens")
        if not learned:
            add(found["empty"], at, "")
    return found


def add(counted: dict[str, Any], at: int, value: str) -> None:
    """Count a row; the first ones are kept."""
    counted["rows"] += 1
    if len(counted["examples"]) < SHOWN:
        counted["examples"].append(f"row {at + 1}: {value}" if value else f"row {at + 1}")


def main() -> None:
    """Print the report."""
    model, data, cutoff, *template = sys.argv[1:]
    with contextlib.redirect_stdout(sys.stderr):
        try:
            report = look(model, data, int(cutoff), template[0] if template else None)
        except Exception as error:  # the caller tells the user what it was
            report = {"error": f"{type(error).__name__}: {error}"}
        report["gpu"] = torch.cuda.is_available()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
