"""pyarrow, imported where rows are read or written, without what a run need not wait for."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any


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
    return pyarrow


@cache
def parquet() -> Any:
    """`pyarrow.parquet`."""
    arrow()
    import pyarrow.parquet  # noqa: PLC0415

    return pyarrow.parquet


@cache
def compute() -> Any:
    """`pyarrow.compute`: 40 ms, spent where columns are reckoned with."""
    arrow()
    import pyarrow.compute  # noqa: PLC0415

    return pyarrow.compute
