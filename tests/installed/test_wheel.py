"""The wheel, outside the clone and without a compiler: installed by pip and by uv, and used."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy
ROOT = Path(__file__).parents[2]
_TOOLS = ("sh", "env", "uname", "cat")
"""What is on PATH beside the environment: no compiler, and no other Python."""
_INSIDE = ("PYTHONPATH", "VIRTUAL_ENV", "UV", "UV_PROJECT_ENVIRONMENT", "SFTRECIPE_TRAIN_ENV")
_KEPT_TEXTS = 2


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("sftrecipe-*-py3-none-any.whl"))


def python_of(minor: int) -> str:
    """A Python of this machine. Skips where it has none."""
    if sys.version_info[:2] == (3, minor):
        return str(Path(sys.base_prefix) / "bin" / "python3")
    made = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
    found = shutil.which(f"python3.{minor}") if not made else str(made[-1])
    works = found and subprocess.run([found, "-c", ""], capture_output=True, check=False)
    if not found or not works or works.returncode:
        pytest.skip(f"this machine has no Python 3.{minor}")
    return found


class Machine:
    """A bare one: an environment with the wheel in it, a folder to work in."""

    def __init__(self, folder: Path, tools: list[str]) -> None:
        self.folder = folder
        self.python = folder / "venv" / "bin" / "python"
        tools_folder = folder / "tools"
        tools_folder.mkdir()
        for tool in tools:
            (tools_folder / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
        kept = {name: value for name, value in os.environ.items() if name not in _INSIDE}
        caches = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip"}
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.variables = {
            **{name: str(cache / own) for name, own in caches.items()},
            **kept,
            "PATH": f"{self.python.parent}{os.pathsep}{tools_folder}",
            "XDG_DATA_HOME": str(folder / "data"),
            "CC": "/bin/false",
            "CXX": "/bin/false",
            "SFTRECIPE_LANG": "en",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What a command says. It must end well."""
        done = subprocess.run(
            words, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done


def test_installed_with_pip(wheel: Path, tmp_path: Path) -> None:
    python = python_of(11)
    machine = Machine(tmp_path, [*_TOOLS])
    subprocess.run([python, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = (str(machine.python), "-m", "pip", "install", "--quiet", "--no-compile")
    machine.run(*pip, f"{wheel}[embedded]")
    assert "first, on this machine" not in machine.run("sftrecipe", "init", "en").stdout
    _begin(machine, "3.11")


def test_installed_with_uv_and_the_hinted_command(wheel: Path, tmp_path: Path) -> None:
    """Without the extra: what `init` says is what has to be done, and does it."""
    if shutil.which("uv") is None:
        pytest.skip("needs uv")
    python = python_of(13)
    machine = Machine(tmp_path, [*_TOOLS, "uv"])
    machine.run("uv", "venv", "--quiet", "--python", python, str(tmp_path / "venv"))
    machine.run("uv", "pip", "install", "--quiet", "--python", str(machine.python), str(wheel))
    begun = machine.run("sftrecipe", "init", "en").stdout
    hinted = begun.partition("first, on this machine: ")[2].partition("\n")[0]
    assert hinted.endswith("'sftrecipe[embedded]'"), begun
    machine.run(*shlex.split(hinted))
    checked = machine.run("sftrecipe", "validate", "en/recipe.yaml").stderr
    assert "a run fetches them (98 MB" in checked and "hint: sftrecipe env embedded" in checked
    _begin(machine, "3.13")
    _go_on(machine)


def _begin(machine: Machine, version: str) -> None:
    """It is whole, and the first run fetches what it needs."""
    told = machine.run("sftrecipe", "--version").stdout
    assert re.search(rf"^sftrecipe \d.*\nPython {re.escape(version)}\.\d+\nxllamacpp 2", told), told
    where = machine.run(str(machine.python), "-c", "import sftrecipe; print(sftrecipe.__file__)")
    assert Path(where.stdout.strip()).is_relative_to(machine.folder)
    texts = machine.folder / "en" / "texts.jsonl"
    texts.write_text("".join(texts.read_text().splitlines(keepends=True)[:_KEPT_TEXTS]))
    done = machine.run("sftrecipe", "run", "en/recipe.yaml")
    assert done.stderr.count("fetching SmolLM2-135M-Instruct (98 MB)") == 1
    made = json.loads((machine.folder / "en" / "runs" / "en" / "en.json").read_text())
    assert made and all(row["instruction"] and row["output"] for row in made)


def _go_on(machine: Machine) -> None:
    """The first hour: what came along, the same run for nothing, its page."""
    _presets(machine)
    _documentation(machine)
    again = json.loads(machine.run("sftrecipe", "run", "en/recipe.yaml", "--json").stdout)
    assert again["fresh"] is False and again["usage"]["asked"] == 0
    page = machine.folder / "en" / "runs" / "en" / "report.html"
    page.unlink()
    machine.run("sftrecipe", "report", "en/runs/en")
    assert page.stat().st_size > 10_000


def _documentation(machine: Machine) -> None:
    """What the recipe of `init` names as `docs/NAME.md` is in the folder that `--help` tells."""
    told = machine.run("sftrecipe", "--help").stdout.partition("Documentation:\n")[2]
    folder = Path(told.strip())
    assert folder.is_relative_to(machine.folder)
    named = re.findall(r"docs/(\w+\.md)", (machine.folder / "en" / "recipe.yaml").read_text())
    assert named and all((folder / name).is_file() for name in named)


def _presets(machine: Machine) -> None:
    """The catalogue came along: each is listed, and one makes a project that is right."""
    listed = json.loads(machine.run("sftrecipe", "presets", "--json").stdout)
    assert listed and all(Path(each["file"]).is_relative_to(machine.folder) for each in listed)
    name = next(each["name"] for each in listed if not each["is_part"])
    machine.run("sftrecipe", "init", "--from", name, "preset")
    machine.run("sftrecipe", "validate", *map(str, machine.folder.glob("preset/*.yaml")))
