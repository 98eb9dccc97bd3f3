"""A conversation in the form that is written: alpaca, sharegpt, or v1's content lists."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any

from sftrecipe_registry.llamafactory.formats.content_lists import (
    check_content,
    content_entry,
    content_row,
    content_schema,
)
from sftrecipe_registry.llamafactory.formats.conversation import Conversation
from sftrecipe_registry.llamafactory.formats.export_plan import ID, Plan
from sftrecipe_registry.llamafactory.formats.files import parquet_schema
from sftrecipe_registry.llamafactory.formats.rows import (
    Words,
    alpaca_row,
    check_alpaca,
    entry,
    sharegpt_row,
)

if TYPE_CHECKING:
    import pyarrow as pa


def check_form(talk: Conversation, plan: Plan) -> None:
    """Raises Unusable for what the form has no place for."""
    if plan.is_v1:
        check_content(talk)
    elif plan.formatting == "alpaca":
        check_alpaca(talk)


def written_row(talk: Conversation, plan: Plan, words: Words) -> dict[str, Any]:
    """The conversation as a row; `words` stand around a thought."""
    if plan.is_v1:
        return content_row(talk)
    to_row = alpaca_row if plan.formatting == "alpaca" else sharegpt_row
    return to_row(talk, words)


def written_schema(plan: Plan) -> pa.Schema:
    """The columns with their types, for Parquet."""
    schema = (
        content_schema(plan.preference)
        if plan.is_v1
        else parquet_schema(plan.formatting, plan.preference)
    )
    return _with_ids(schema) if plan.ids else schema


def _with_ids(schema: pa.Schema) -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - 60 ms, and only Parquet needs it

    return schema.insert(0, pa.field(ID, pa.string()))


def written_entry(file: str, plan: Plan, used: Set[str]) -> dict[str, Any]:
    """The data set's entry of `dataset_info.json`; `used`: columns that some row has."""
    if plan.is_v1:
        return content_entry(file, plan.preference)
    return entry(file, plan.formatting, plan.preference, used)
