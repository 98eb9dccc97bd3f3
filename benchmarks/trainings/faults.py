"""What LLaMA-Factory alone does with each faulty training of the tests' faults.yaml.

    python -m benchmarks.trainings.faults [PART OF A NAME]

Fills faults.tsv: the cases that it does not have yet, or those whose name holds the part, anew. It
is written after every case, so that it can be stopped, and goes on when it is started again.

Small random Llamas with the embedded model's tokenizer are trained on twenty rows in the training
environment (SFTRECIPE_TRAIN_ENV). One process imports LLaMA-Factory and forks one for each case:
the seconds are those after its import, which takes 10 to 60 more. A line a case: its exit status,
the seconds, the steps that it trained, whether it left a model, its last words, what the preflight
says. On a GPU, what asks for one ends otherwise.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.registry.llamafactory.faulty_trainings import CASES, make_folder, settings_of
from tests.support.training_environment import training_process_environment, training_python

from sftrecipe_registry.shared.models.packaged_checkpoint import packaged_checkpoint

HERE = Path(__file__).parent
WARM = HERE.parents[1] / "tests" / "registry" / "llamafactory" / "warm_llamafactory.py"
TABLE = HERE / "faults.tsv"
HEAD = ["fault", "status", "seconds", "steps", "model", "last words", "found before training"]
NOT_RUN = "not run"
SECONDS = 600


def main(part: str) -> None:
    """Print the table."""
    lines = read()
    wanted = [
        case
        for case in CASES
        if (part and part in case["name"]) or (not part and case["name"] not in lines)
    ]
    python = training_python()
    if python is None:
        sys.exit("no training environment: SFTRECIPE_TRAIN_ENV")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, python)
        command = [str(python), str(WARM), str(folder / "socket")]
        server = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=training_process_environment()
        )
        try:
            assert server.stdout is not None
            while server.stdout.readline().strip() != "ready":
                pass
            for kind, method in (("lora", "lora"), ("full", "full")):
                if not any(needs(case, kind) for case in wanted):
                    continue
                run(folder, command, {"with": {"output_dir": kind, "finetuning_type": method}})
            if (folder / "lora").is_dir():
                shutil.copytree(folder / "lora", folder / "bare", dirs_exist_ok=True)
            for case in wanted:
                lines[case["name"]] = [str(each) for each in run(folder, command, case)]
                write(lines)
                print(case["name"], *lines[case["name"]], flush=True)
        finally:
            server.terminate()


def needs(case: Mapping[str, Any], kind: str) -> bool:
    """Whether it starts from what an earlier training left."""
    kinds = {"lora": ("lora", "bare"), "full": ("full",)}[kind]
    places = ("resume_from_checkpoint", "adapter_name_or_path", "model_name_or_path")
    return any(str(case["with"].get(each)).partition("/")[0] in kinds for each in places)


def read() -> dict[str, list[str]]:
    """The cases that were run, and what came of them."""
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()[1:]]
    return {row[0]: row[1:-1] for row in rows if row[1] != NOT_RUN}


def write(lines: Mapping[str, list[str]]) -> None:
    """The table, in the order of the cases."""
    nothing = [NOT_RUN, "", "", "", ""]
    rows = [[case["name"], *lines.get(case["name"], nothing), case["found"]] for case in CASES]
    TABLE.write_text("\n".join("\t".join(row) for row in [HEAD, *rows]) + "\n")


def prepare(folder: Path, python: Path) -> None:
    """The models, with weights, in place of those that only look like some."""
    make_folder(folder)
    for name in ("base", "twin", "other", "lora", "full", "bare"):
        shutil.rmtree(folder / name)
    tokenizer = packaged_checkpoint(folder / "tokenizer")
    script = str(HERE / "faulty_models.py")
    subprocess.run([str(python), script, str(tokenizer), str(folder)], check=True)


def run(folder: Path, command: list[str], case: Mapping[str, Any]) -> tuple[object, ...]:
    """Status, seconds, steps, whether a model was left, and the last words of one training."""
    settings = {"output_dir": "out", **settings_of(case), **case["with"]}
    output = folder / settings["output_dir"]
    shutil.rmtree(output, ignore_errors=True)
    (folder / "train.yaml").write_text(yaml.safe_dump(settings))
    began = time.monotonic()
    # What takes longer ends the table here; the case stays one that was not run.
    done = subprocess.run(
        [*command, "train", "train.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**training_process_environment(), "OMP_NUM_THREADS": "1"},
        timeout=SECONDS,
        check=False,
    )
    seconds = time.monotonic() - began
    log = output / "trainer_log.jsonl"
    lines = log.read_text().splitlines() if log.is_file() else []
    steps = json.loads(lines[-1])["current_steps"] if lines else 0
    words = [line.strip() for line in done.stderr.splitlines() if line.strip()] or [""]
    last = words[-1][:160].replace("\t", " ") if done.returncode else ""
    model = "yes" if (output / "all_results.json").is_file() else "no"
    return done.returncode, f"{seconds:.0f}", steps, model, last


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main(sys.argv[1] if len(sys.argv) > 1 else "")
