"""What becomes of a row that the model which tags it could not tag."""

from __future__ import annotations

from typing import Literal

from sftrecipe.plugin import CallFailed, Reply

OnFailure = Literal["keep", "drop"]
"""`keep`: the failure is the model's, not the row's, which stays untagged; `drop`: it goes."""


def call_keys(*asked: Reply | CallFailed) -> tuple[str, ...]:
    """The ledger keys of calls, of those that have one."""
    return tuple(each.key for each in asked if each.key)
