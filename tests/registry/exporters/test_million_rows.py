"""An export's memory does not grow with its rows."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import resource, sys, tempfile, time
from pathlib import Path
from sftrecipe import Context, Record
from sftrecipe.plugin import ExportContext
from sftrecipe.store.atomic_files import create
from sftrecipe_registry.llamafactory.exporter import LlamaFactory

class Rows:
    def __len__(self):
        return int(sys.argv[1])
    def __iter__(self):
        for at in range(len(self)):
            question = f"医学问题 {at}: what helps against a headache on day {at}?"
            answer = "Rest. " * 20
            yield Record(str(at), {"instruction": question, "input": "", "output": answer}, "s")

with tempfile.TemporaryDirectory() as folder:
    to = ExportContext("big", Path(folder), Context("export"),
                       lambda name: create(Path(folder), name), lambda *told: None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    sets = LlamaFactory(holdout=0.01, file=sys.argv[2]).export(Rows(), to)
    spent = time.process_time() - started
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(sum(each.rows for each in sets), grown // 1024, round(len(Rows()) / spent))
"""


@pytest.mark.parametrize("file", ["json", "parquet"])
def test_memory_is_bounded(file: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, "100000", file], capture_output=True, text=True, check=True
    )
    rows, megabytes, rows_per_second = map(int, done.stdout.split())
    assert rows == 100_000
    assert megabytes < 120
    assert rows_per_second > 5_000
