"""Large files are read in bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

MEGABYTES = 120
ROW = (
    '{"instruction": "头疼怎么办？", "input": "'
    + "what should I do " * 30
    + '", "n": [1, {"a": 2}]}'
)
READ = """
import sys
from pathlib import Path
from tests.support.source_rows import context, source
from sftrecipe.run.steps.source_step import read_source

name, path, sample = sys.argv[1:]
options = {"sample": int(sample)} if sample else {}
plugin = source(name, path=path, **options)
count = 0
for _ in read_source(plugin, context(plugin, Path("/"))):
    count += 1
# getrusage would tell the peak of the process that started this one, where that was higher
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(count, int(peak.split()[1]) // 1024)
"""


def block(count: int, end: str) -> bytes:
    return "".join(ROW + end for _ in range(count)).encode()


def jsonl(path: Path) -> int:
    """A file of that size; its number of rows."""
    piece = block(2000, "\n")
    times = MEGABYTES * 1_000_000 // len(piece)
    with path.open("wb") as file:
        for _ in range(times):
            file.write(piece)
    return 2000 * times


def table(path: Path) -> int:
    """Lines without delimiters."""
    piece = (ROW.replace("{", "(") + "\n").encode() * 2000
    with path.open("wb") as file:
        for _ in range(MEGABYTES * 1_000_000 // len(piece)):
            file.write(piece)
    return 0


def json_list(path: Path) -> int:
    """The same as one list, on a single line."""
    piece = block(2000, ",")
    times = MEGABYTES * 1_000_000 // len(piece)
    with path.open("wb") as file:
        file.write(b"[")
        for _ in range(times):
            file.write(piece)
        file.write(ROW.encode() + b"]")
    return 2000 * times + 1


def endless_line(path: Path) -> int:
    """A line that does not end."""
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            file.write(b"x" * 1_000_000)
    return 1


def endless_text(path: Path) -> int:
    """A JSON item that does not end."""
    with path.open("wb") as file:
        file.write(b'[{"a": 1}, {"a": "')
        for _ in range(MEGABYTES):
            file.write(b"x" * 1_000_000)
    return 2


pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"
)


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "large"
    yield path
    path.unlink()


@pytest.mark.parametrize(
    ("name", "sample", "make", "limit"),
    [
        ("jsonl", "", jsonl, 100),
        ("jsonl", "1000", jsonl, 120),
        ("json", "", json_list, 110),
        ("text", "", jsonl, 100),
        ("csv", "", table, 130),
        ("jsonl", "", endless_line, 200),
        ("json", "", endless_text, 300),
    ],
)
def test_peak_memory(
    name: str, sample: str, make: Callable[[Path], int], limit: int, large: Path
) -> None:
    rows = make(large)
    done = subprocess.run(
        [sys.executable, "-c", READ, name, str(large), sample],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    count, megabytes = map(int, done.stdout.split())
    print(name, megabytes, "MB")
    if name != "csv":
        assert count == (int(sample) if sample else rows)
    assert megabytes < limit
