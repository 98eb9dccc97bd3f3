"""A small real program in place of LLaMA-Factory: `fake_llamafactory.py -m llamafactory.cli …`.

It trains nothing and leaves what a training leaves, or fails as LLAMAFACTORY_FAKE says: does
`nothing`, `evaluates` only, `fails`, is `killed`, `crashes` at the end, is `slow` (with a worker
process), `stops` in the middle of its third checkpoint, merges `half`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

MODE = os.environ.get("LLAMAFACTORY_FAKE", "")
STEPS = 6


def train(config: str, *overrides: str) -> None:
    settings = yaml.safe_load(Path(config).read_text())
    given = dict(each.split("=") for each in overrides)
    output = Path(given.get("output_dir", settings["output_dir"]))
    with Path("starts.jsonl").open("a") as file:
        file.write(json.dumps({"given": given, "variables": dict(os.environ)}) + "\n")
    if MODE == "nothing":
        return
    if MODE == "evaluates":
        write(output / "adapter_model.safetensors", "weights")
        write(output / "all_results.json", '{"eval_loss": 1.0}')
        return
    if MODE == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if MODE == "fails":
        raise ValueError("the data set is empty")
    if MODE == "slow":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    steps(output, int(given.get("resume_from_checkpoint", "-0").rpartition("-")[2]))
    write(output / "adapter_model.safetensors", "weights")
    write(output / "all_results.json", '{"train_loss": 0.5, "eval_loss": 0.25}')
    if MODE == "crashes":
        os.abort()


def steps(output: Path, done: int) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for step in range(done + 1, STEPS + 1):
        line = {"current_steps": step, "total_steps": STEPS, "loss": 1 / step}
        with (output / "trainer_log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        checkpoint = output / f"checkpoint-{step}"
        write(checkpoint / "optimizer.pt", "moments")
        if MODE == "stops" and step == 3:
            write(checkpoint / "trainer_state.json", '{"glo')
            raise RuntimeError("stopped")
        write(checkpoint / "trainer_state.json", json.dumps({"global_step": step}))
        if MODE == "slow":
            time.sleep(1)


def export(config: str) -> None:
    settings = yaml.safe_load(Path(config).read_text())
    target = Path(settings["export_dir"])
    write(target / "config.json", "{}")
    if MODE == "half":
        raise RuntimeError("no space left on device")
    write(target / "model.safetensors", settings["adapter_name_or_path"])


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


if __name__ == "__main__":
    _, _, command, *arguments = sys.argv[1:]
    {"train": train, "export": export}[command](*arguments)
