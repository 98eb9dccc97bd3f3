"""IFD through the engine beside the papers' one-at-a-time script: the same rows, the same model.

python benchmarks/ifd.py [--rows 32] [--rounds 3] [--model FOLDER] [--device cpu|cuda]

Both score in the environment that `SFTRECIPE_TRAIN_ENV` names (`.env-llamafactory` where it names
none); the model's loading is left out of both. Each round runs both, one after the other; told is
the ratio of the medians, of CPU-seconds and of wall-seconds. On a busy machine only the ratios mean
something.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from sftrecipe import Context
from sftrecipe.calls.session import open_session
from sftrecipe.recipe.recipe import Block
from sftrecipe.testing import RowList
from sftrecipe_registry.methods.cherry.ifd import Ifd
from sftrecipe_registry.providers.transformers.provider import Transformers
from sftrecipe_registry.shared.models.packaged_checkpoint import packaged_checkpoint

HERE = Path(__file__).parent
ALPACA = HERE.parents[1] / "shared" / "data" / "ifd" / "alpaca_gpt2_ifd_2000.json"
SEEDS = HERE.parent / "recipes" / "self_instruct" / "seeds.en.jsonl"
ENVIRONMENT = "SFTRECIPE_TRAIN_ENV"
TICKS = os.sysconf("SC_CLK_TCK")


def rows_to_score(count: int) -> list[dict[str, str]]:
    """Rows of Alpaca, spread over the published 2,000; without them, the recipes' seeds."""
    if ALPACA.exists():
        found = json.loads(ALPACA.read_text("utf-8"))
    else:
        found = [json.loads(line) for line in SEEDS.read_text("utf-8").splitlines()]
    found = [row for row in found if len(row.get("output", "").split()) > 1]
    step = max(len(found) // count, 1)
    names = ("instruction", "input", "output")
    return [{name: row.get(name, "") for name in names} for row in found[::step][:count]]


def reference(rows: list[dict[str, str]], model: Path, device: str) -> dict[str, Any]:
    """The script's IFD and its seconds."""
    python = Path(os.environ[ENVIRONMENT]) / "bin" / "python"
    done = subprocess.run(
        [python, HERE / "peers" / "ifd_reference.py", model, device],
        input=json.dumps(rows),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def ours(rows: list[dict[str, str]], provider: Transformers) -> dict[str, Any]:
    """The filter's IFD, and the seconds of the engine and its worker after the model is loaded."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / ".sftrecipe" / "ledger.sqlite"
        block = Block("providers", "p", "transformers", provider)
        async with open_session({"p": block}, ledger, run="benchmark") as session:
            model = session.model("p", "ifd")
            await model.loglikelihood("The first", " pass is slower.")
            context = Context("ifd", models={"": model}, concurrency=provider.default_concurrency)
            cpu, wall = cpu_seconds(), time.perf_counter()
            plugin = Ifd(method="superfiltering")
            verdicts = [each async for each in plugin.judge(RowList.of(*rows), context)]
            spent = {"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}
    return {"ifd": [verdict.value for verdict in verdicts], **spent}


def cpu_seconds() -> float:
    """Of this process and the workers that it runs."""
    total = time.process_time()
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    for child in children:
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def main() -> None:
    """Run both, and tell the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", type=Path, default=Path(tempfile.gettempdir()) / "smollm2-hf")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--alone", action="store_true", help="without the reference script")
    asked = parser.parse_args()
    os.environ.setdefault(ENVIRONMENT, str(HERE.parent / ".env-llamafactory"))
    model = packaged_checkpoint(asked.model)
    rows = rows_to_score(asked.rows)
    provider = Transformers(model=str(model), dtype=asked.dtype, device=asked.device)
    measured: dict[str, list[dict[str, Any]]] = {"reference": [], "sftrecipe": []}
    for _ in range(asked.rounds):
        measured["sftrecipe"].append(asyncio.run(ours(rows, provider)))
        if not asked.alone:
            measured["reference"].append(reference(rows, model, asked.device))
    for name, runs in measured.items():
        for kind in ("cpu", "wall"):
            if runs:
                middle = statistics.median(run[kind] for run in runs)
                print(f"{name:10} {kind:4} {middle:8.2f} s  {len(rows) / middle:8.2f} rows/s")
    if measured["reference"]:
        told(measured)


def told(measured: dict[str, list[dict[str, Any]]]) -> None:
    """The ratios of the seconds, and how far the scores are apart."""
    for kind in ("cpu", "wall"):
        theirs, own = (
            statistics.median(run[kind] for run in measured[name])
            for name in ("reference", "sftrecipe")
        )
        print(f"ratio {kind}: {theirs / own:.2f}")
    pairs = zip(measured["reference"][0]["ifd"], measured["sftrecipe"][0]["ifd"], strict=True)
    apart = [abs(one - other) for one, other in pairs]
    print(f"IFD apart: {statistics.median(apart):.4f} in the middle, {max(apart):.4f} at most")


if __name__ == "__main__":
    main()
