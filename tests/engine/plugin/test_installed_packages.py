"""A package whose entry points are broken is named and passed over; the others are found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def broken(folder: Path, entry_points: bytes) -> str:
    """An installed package with this `entry_points.txt`; what PYTHONPATH must hold."""
    info = folder / "site" / "shabby-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shabby\nVersion: 1.0\n")
    (info / "entry_points.txt").write_bytes(entry_points)
    return str(info.parent)


def run(folder: Path, site: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What the command says with the package installed."""
    environment = {**os.environ, "PYTHONPATH": site, "SFTRECIPE_LANG": "en"}
    command = [str(Path(sys.executable).with_name("sftrecipe")), *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "text", [b"[console_scripts]\nno equals sign\n", b"[sftrecipe.x]\n\xff = y\n"]
)
def test_a_package_with_broken_entry_points_is_named_and_passed_over(
    tmp_path: Path, text: bytes
) -> None:
    site = broken(tmp_path, text)
    listed = run(tmp_path, site, "plugins", "--kind", "filter")
    assert listed.returncode == 0
    assert "length" in listed.stdout
    assert listed.stderr.count("shabby") == 1
    assert "shabby" in run(tmp_path, site, "doctor").stdout
    (tmp_path / "a.yaml").write_text("version: 1\nname: a\nextends: zh-laww\n")
    checked = run(tmp_path, site, "validate", "a.yaml")
    assert (checked.returncode, "zh-law" in checked.stderr) == (2, True)
