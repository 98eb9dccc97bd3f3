"""`validate` imports nothing heavy and takes little time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

RECIPE = """\
version: 1
name: quick
generate:
  - {id: ask, use: self_instruct, with: {template: "Write {{ count }} like {{ examples }}"}}
filter:
  - {use: length, with: {field: output, max_chars: 400}}
  - {use: exact_dedup}
mix: {total: 10, weights: {ask: 1}}
export:
  - {use: llamafactory}
train:
  use: llamafactory
  with: {stage: sft, model_name_or_path: Qwen/Qwen2.5-0.5B, template: qwen, finetuning_type: lora}
"""
HEAVY = {
    "litellm", "datasets", "torch", "transformers", "pyarrow", "ray", "numpy", "pandas", "aiohttp",
    "jsonschema", "asyncio",
}  # fmt: skip
SCRIPT = """
import json, resource, sys
from sftrecipe.cli.main import main
try:
    main()
except SystemExit as ended:
    status = ended.code
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([status, used.ru_utime + used.ru_stime, sorted(sys.modules)]))
"""


def validated(folder: Path) -> tuple[int, float, set[str]]:
    """Exit status, CPU seconds and modules of `sftrecipe validate`, with compiled bytecode."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "validate", str(recipe)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    status, seconds, modules = json.loads(done.stdout.splitlines()[-1])
    return status, seconds, set(modules)


def test_light_and_quick(tmp_path: Path) -> None:
    status, _, modules = validated(tmp_path)
    assert status == 2  # it names no provider
    assert not HEAVY & modules
    seconds = min(validated(tmp_path)[1] for _ in range(3))
    assert seconds < 0.5, f"validate took {seconds:.2f} CPU seconds"
