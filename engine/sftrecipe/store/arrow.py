"""pyarrow, imported where rows are read or written, without what a run need not wait for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any


class _Hidden:
    """Finds no pandas."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


@cache
def arrow() -> Any:
    """`pyarrow`: with numpy a quarter of a second, which a run that makes nothing need not wait.

    Its first conversion does not import pandas, another quarter: it looks for it once, and what
    needs it later (`to_pandas`) still imports it.
    """
    import pyarrow  # noqa: PLC0415

    if "pandas" not in sys.modules:
        sys.meta_path.insert(0, _Hidden)
        try:
            pyarrow.array([])
        finally:
            sys.meta_path.remove(_Hidden)
    _use_jemalloc(pyarrow)
    return pyarrow


def _use_jemalloc(pyarrow: Any) -> None:
    """Where pyarrow brings it: rows read and written in 14 to 24 MB less than by its own choice,
    mimalloc, which keeps what was freed; no slower."""
    chosen = "ARROW_DEFAULT_MEMORY_POOL" in os.environ
    if not chosen and "jemalloc" in pyarrow.supported_memory_backends():
        pyarrow.set_memory_pool(pyarrow.jemalloc_memory_pool())


@cache
def parquet() -> Any:
    """`pyarrow.parquet`."""
    arrow()
    import pyarrow.parquet  # noqa: PLC0415

    return pyarrow.parquet


def opened_parquet(file: Path | IO[bytes]) -> Any:
    """A Parquet file, of which what is read is read when it is asked for.

    `pre_buffer` starts threads that hold whole columns before they are asked for: some 10 MB more
    for 2,000 rows and a tenth of the CPU, and not faster from a disk.
    """
    return parquet().ParquetFile(file, pre_buffer=False)


def read_table(path: Path, columns: Sequence[str] | None = None) -> Any:
    """A Parquet file as a table; `pyarrow.parquet.read_table` loads `pyarrow.dataset` for it, 50 ms
    and 9 MB, and reads the same."""
    with opened_parquet(path) as file:
        return file.read(columns=columns and list(columns), use_threads=False)


@cache
def compute() -> Any:
    """`pyarrow.compute`: 40 ms, spent where columns are reckoned with."""
    arrow()
    import pyarrow.compute  # noqa: PLC0415

    return pyarrow.compute
