"""A run does not wait for imports that it has no use for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import sys
from pathlib import Path
from sftrecipe.store.rows import TableWriter
from sftrecipe.store.streams import Stream

print("pyarrow" in sys.modules or "numpy" in sys.modules)
path = Path(sys.argv[1])
writer = TableWriter(path, {"id": "string"})
writer.add(("a",))
writer.close()
assert len(Stream("rows", path)) == 1
print([name for name in ("pandas", "pyarrow.compute") if name in sys.modules])
import pyarrow as pa

print(len(pa.table({"a": [1, 2]}).to_pandas()))
"""

_READING = """
import sys
from pathlib import Path
from sftrecipe.store.streams import Stream

assert Stream("rows", Path(sys.argv[1])).cells(["id"])["id"].to_pylist() == ["a"]
print("pandas" in sys.modules)
"""


def said(script: str, rows: Path) -> list[str]:
    command = [sys.executable, "-c", script, str(rows)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")


def test_rows_are_written_without_pandas_which_can_still_be_used(tmp_path: Path) -> None:
    assert said(_SCRIPT, tmp_path / "rows.parquet")[:3] == ["False", "[]", "2"]


def test_rows_are_read_without_pandas_too(tmp_path: Path) -> None:
    """As `lock` does, which writes none."""
    said(_SCRIPT, tmp_path / "rows.parquet")
    assert said(_READING, tmp_path / "rows.parquet")[0] == "False"
