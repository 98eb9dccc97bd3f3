"""`validate` imports nothing heavy and takes little time."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import sftrecipe
from sftrecipe.cli.main import COMMANDS, imported_command

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
FLOOR = """
import click, importlib.metadata, jinja2.sandbox, yaml
from pydantic import BaseModel

class Options(BaseModel):
    count: int = 0

importlib.metadata.entry_points()
"""
"""What no check of a recipe can do without."""
VALIDATE = """
import sys
from sftrecipe.cli.main import main
sys.argv[1:] = ["validate", "recipe.yaml"]
try:
    main()
except SystemExit as ended:
    status = ended.code
"""
MEASURED = """
import json, resource, sys
status = 0
exec(sys.argv[1])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([status, used.ru_utime + used.ru_stime, sorted(sys.modules)]))
"""


HELP = """
import sys
from sftrecipe.cli.main import main
sys.argv[1:] = ["--help"]
try:
    main()
except SystemExit:
    pass
"""


PATTERNS = """
import re._compiler
import sftrecipe.cli.validate, jinja2
from importlib.metadata import distribution

compiled, compile_pattern = [], re._compiler.compile

def counted(*words):
    compiled.append(words)
    return compile_pattern(*words)

re._compiler.compile = counted
for point in distribution("sftrecipe").entry_points:
    if point.group.startswith("sftrecipe.") and ":" in point.value:
        compiled.clear()
        point.load()
        if len(compiled) > 50:
            print(point.group, point.name, len(compiled))
"""


def measured(folder: Path, script: str) -> tuple[int, float, set[str]]:
    """Exit status, CPU seconds and modules of a process, with compiled bytecode."""
    (folder / "recipe.yaml").write_text(RECIPE)
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment.pop("SFTRECIPE_TRAIN_ENV", None)  # whose LLaMA-Factory would be read, too
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    status, seconds, modules = json.loads(done.stdout.splitlines()[-1])
    return status, seconds, set(modules)


def test_light_and_quick(tmp_path: Path) -> None:
    status, _, modules = measured(tmp_path, VALIDATE)
    assert status == 2  # it names no provider
    assert not HEAVY & modules
    measured(tmp_path, FLOOR)  # writes the bytecode
    rounds = [(measured(tmp_path, VALIDATE)[1], measured(tmp_path, FLOOR)[1]) for _ in range(3)]
    times = min(used / floor for used, floor in rounds)
    assert times < 2.2, f"validate took {times:.2f} times what its packages take to load"


def test_no_plugin_compiles_hundreds_of_patterns_where_it_is_only_checked() -> None:
    command = [sys.executable, "-c", PATTERNS]
    assert not subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_help_loads_no_plugin_api(tmp_path: Path) -> None:
    _, _, modules = measured(tmp_path, HELP)
    assert not {"pydantic", "yaml", "sftrecipe.plugin.plugin_kinds"} & modules
    assert not {f"sftrecipe.cli.{command}" for command in COMMANDS} & modules


def test_the_list_of_presets_loads_no_plugin_api(tmp_path: Path) -> None:
    _, _, modules = measured(tmp_path, HELP.replace("--help", "presets"))
    assert "sftrecipe.cli.presets" in modules
    assert not {"pydantic", "sftrecipe.plugin.plugin_kinds"} & modules


def test_the_history_reads_no_rows_and_asks_nothing(tmp_path: Path) -> None:
    _, _, modules = measured(tmp_path, HELP.replace("--help", "history"))
    assert "sftrecipe.cli.history" in modules
    assert not HEAVY & modules


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_their_own_help(name: str) -> None:
    assert imported_command(name).get_short_help_str(limit=1000) == COMMANDS[name]


def test_every_public_name_is_there() -> None:
    assert all(getattr(sftrecipe, name) for name in sftrecipe.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Filer'"):
        sftrecipe.Filer  # noqa: B018


def test_versions_of_what_results_rest_on(tmp_path: Path) -> None:
    found = tmp_path / "lib" / "python3.11" / "site-packages" / "llamafactory-0.9.5.dist-info"
    found.mkdir(parents=True)
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: llamafactory\nVersion: 0.9.5\n")
    told = subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", "--version"],
        env={**os.environ, "SFTRECIPE_TRAIN_ENV": str(tmp_path)},
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert told[0] == f"sftrecipe {version('sftrecipe')}"
    assert told[1] == f"Python {platform.python_version()}"
    assert told[-1] == f"llamafactory 0.9.5 in {tmp_path}"
