"""Rows that are made from others are known by those others' later forms."""

from __future__ import annotations

import pyarrow as pa

from sftrecipe.report.comparison.row_changes import LaterForms


def _column(*texts: str) -> pa.ChunkedArray:
    return pa.chunked_array([texts[:1], texts[1:]], pa.string())


def test_what_is_told_last_of_an_id_holds() -> None:
    later = LaterForms()
    asked = pa.array(["a", "b", "c"], pa.large_string())
    assert later.of(asked).to_pylist() == ["a", "b", "c"]
    later.add(_column("a", "b", "a"), _column("1", "2", "3"))
    assert later.of(asked).to_pylist() == ["3", "2", "c"]
    later.add(_column("b"), _column("4"))
    later.add(_column(), _column())
    assert later.of(asked).to_pylist() == ["3", "4", "c"]
