"""Rows that were rejected for their shape are shown all the same."""

from __future__ import annotations

from typing import Any

import pytest

from sftrecipe.turns.shown_turns import shown_turns


@pytest.mark.parametrize("found", [[[{"role": "user"}]], [None], ["a"], "a", {"a": 1}, [{"a": 1}]])
def test_what_is_no_list_of_turns_has_none(found: Any) -> None:
    assert shown_turns({"messages": found}) == []
