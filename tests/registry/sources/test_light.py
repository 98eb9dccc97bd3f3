"""`validate` peeks at sources without any heavy import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PEEK = """
import sys
from pathlib import Path
from tests.support.source_rows import context, source
from sftrecipe.plugin.discovery import plugins

for found in plugins("source").values():
    found.load()
folder = Path(sys.argv[1])
for name, options in [
    ("jsonl", {"path": "a.jsonl"}),
    ("json", {"path": "a.json"}),
    ("csv", {"path": "a.csv"}),
    ("dataset", {"name": "d"}),
    ("sharegpt", {"path": "a.parquet"}),
    ("parquet", {"path": "a.parquet"}),
    ("huggingface", {"name": "owner/name"}),
]:
    plugin = source(name, **options)
    print(plugin.peek(context(plugin, folder)))
heavy = {"pyarrow", "datasets", "numpy", "ftfy", "charset_normalizer", "torch"}
print(sorted(heavy & sys.modules.keys()))
"""


def test_peeking_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": "你好 café"}\n')
    (tmp_path / "a.json").write_text('[{"n": 1}]')
    (tmp_path / "a.csv").write_text("n\n1\n")
    (tmp_path / "a.parquet").write_text("")
    (tmp_path / "dataset_info.json").write_text(
        '{"d": {"file_name": "a.json", "columns": {"prompt": "n"}}}'
    )
    done = subprocess.run(
        [sys.executable, "-c", PEEK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    *peeked, heavy = done.stdout.splitlines()
    assert peeked == [
        *["frozenset({'n'})"] * 3,
        "frozenset({'text'})",
        *["None"] * 3,
    ]
    assert heavy == "[]"
