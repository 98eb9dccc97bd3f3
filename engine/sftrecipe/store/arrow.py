"""pyarrow without what a run need not wait for."""

from __future__ import annotations

import sys
from typing import Any

import pyarrow as pa


class _Hidden:
    """Finds no pandas."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def without_pandas() -> None:
    """Let pyarrow not import pandas at its first conversion: a quarter of a second, for nothing.

    It looks for pandas once; what needs it later (`to_pandas`) still imports it.
    """
    if "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _Hidden)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(_Hidden)


def compute() -> Any:
    """`pyarrow.compute`: 40 ms, spent where columns are reckoned with."""
    import pyarrow.compute  # noqa: PLC0415

    return pyarrow.compute
