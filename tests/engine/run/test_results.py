"""What an earlier run, or something else in its place, says of itself."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.run.run_file import read_run


def test_what_is_no_run_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    assert read_run(tmp_path) is None
    assert read_run(file) is None
    for spoilt in ("[]", "{", ""):
        (tmp_path / "run.json").write_text(spoilt)
        assert read_run(tmp_path) is None
