"""What is told of a run whose steps were deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

from ...support.sweep_runs import Sweeping


def test_explain_tells_that_they_are_gone(tmp_path: Path) -> None:
    project = Sweeping(tmp_path)
    project.write(None)
    assert project.command("run", "recipe.yaml", "-q").returncode == 0
    assert "exam 3" in project.command("explain", "exam 3").stdout
    shutil.rmtree(tmp_path / ".sftrecipe" / "steps")
    told = project.command("explain", "exam 3")
    assert told.returncode == 2
    assert "error[steps-gone]" in told.stderr
    assert "run the recipe again" in told.stderr
