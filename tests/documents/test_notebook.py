"""The notebook of the docs goes through, cell by cell, in a real kernel, and is kept bare."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from tests.support.standin import stand_in
from tests.support.standin_runs import Whole

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


def test_kept_without_outputs() -> None:
    for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
        assert not cell.get("outputs") and not cell.get("execution_count")


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel of this environment, which leaves what it keeps in the test's folder."""
    kernels = tmp_path / "kernels" / "python3"
    kernels.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "Python 3", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(spec))
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("SFTRECIPE_LANG", "en")


@pytest.mark.usefixtures("kernel")
def test_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = json.dumps(notebook, ensure_ascii=False)
    for text in (
        "did you mean 'questions.jsonl'?",  # the mistake
        "<th>step</th>",  # the plan as a table
        "loading smollm2-135m-instruct",  # progress
        "lost at answered",  # an explanation
        "<iframe srcdoc=",  # the report
        "多休息，多喝水",
    ):
        assert text.replace('"', '\\"') in shown, text


CELLS = (
    "from sftrecipe import Recipe, Run; recipe = Recipe.load('recipe.yaml')",
    "await recipe.arun(concurrency=2)",
    "print(Run.open('whole').status)",
)


@pytest.mark.usefixtures("kernel")
def test_an_interrupted_cell_ends_its_run_in_order(tmp_path: Path) -> None:
    """Jupyter cancels a cell out of a signal's handler, while its event loop sleeps."""
    with stand_in("--reply", "items", "--items", 3, "--delay", 0.5) as server:
        Whole(tmp_path, server.url)
        manager, client = start_new_kernel(cwd=str(tmp_path))
        told: list[Any] = []
        try:
            client.execute_interactive(CELLS[0], timeout=200)
            client.execute(CELLS[1], stop_on_error=False)  # else the next one is not executed
            while not server.requests():
                time.sleep(0.02)
            manager.interrupt_kernel()
            client.execute_interactive(CELLS[2], timeout=200, output_hook=told.append)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    assert {"name": "stdout", "text": "stopped\n"} in [each["content"] for each in told]
