"""A run does not wait for imports that it has no use for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import sys
from pathlib import Path
import pyarrow as pa
from sftrecipe.store.rows import TableWriter
from sftrecipe.store.streams import Stream

path = Path(sys.argv[1])
writer = TableWriter(path, pa.schema([("id", pa.string())]))
writer.add(("a",))
writer.close()
assert len(Stream("rows", path)) == 1
print([name for name in ("pandas", "pyarrow.compute") if name in sys.modules])
print(len(pa.table({"a": [1, 2]}).to_pandas()))
"""


def test_rows_are_written_without_pandas_which_can_still_be_used(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SCRIPT, str(tmp_path / "rows.parquet")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["[]", "2"]
