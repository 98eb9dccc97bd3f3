"""An expression that looks at a long text again and again is stopped."""

from __future__ import annotations

import time

import pytest

from sftrecipe_registry.filters.rules.expression import read_expression


@pytest.mark.parametrize(
    "expression", ["+".join(["words(x)"] * 180), " + ".join(["len(lower(x))"] * 120)]
)
def test_it_ends(expression: str) -> None:
    started = time.process_time()
    read = read_expression(expression)
    try:
        read.compute({"x": "ab 中" * 1_500_000})
    except ValueError as error:
        assert "more than 2 seconds" in str(error)
    assert time.process_time() - started < 5
