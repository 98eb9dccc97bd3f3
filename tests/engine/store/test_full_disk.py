"""A full disk, as a limit on the size of files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WRITES = """
import resource, sys
from pathlib import Path
from sftrecipe.errors import SftrecipeError
from sftrecipe.store.atomic_files import create
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    with create(Path(sys.argv[1]), "run.json") as file:
        file.write(b"x" * int(sys.argv[2]))
except SftrecipeError as error:
    print(error.problem.slug)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
@pytest.mark.parametrize("size", [5_000, 5_000_000], ids=["in the buffer", "beyond it"])
def test_it_is_told_and_what_stood_there_stays(tmp_path: Path, size: int) -> None:
    (tmp_path / "run.json").write_text("before")
    command = [sys.executable, "-c", WRITES, str(tmp_path), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("disk-full\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert (tmp_path / "run.json").read_text() == "before"
