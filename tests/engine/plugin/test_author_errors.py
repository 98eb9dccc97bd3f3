"""Mistakes of plugin authors and odd rows are told, and take nothing else with them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sftrecipe import Context, Record, Reject, RowGenerator
from sftrecipe.testing import FakeModel, RowList


class Ask(RowGenerator):
    """Asks what a column says."""

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        asked = ctx.prompt("Say {{ word }}").render(row.columns)
        reply = await ctx.model.chat([{"role": "user", "content": asked}])
        return [ctx.row({"output": reply.text}, parents=[row], replies=[reply])]


async def test_a_row_without_the_column_is_rejected_alone() -> None:
    rows = RowList.of({"word": "yes"}, {"wrod": "no"}, {"word": "yes yes"})
    ctx = Context(step="ask", models={"": FakeModel(lambda request: "said")})
    made = [item async for item in Ask().generate(rows, ctx)]
    assert [isinstance(item, Reject) for item in made] == [False, True, False]
    assert made[1].reason == "prompt_failed"  # type: ignore[union-attr]
    assert "word" in made[1].value  # type: ignore[union-attr, operator]


def test_asking_without_needs_says_what_is_missing() -> None:
    with pytest.raises(LookupError, match="must declare `needs`"):
        _ = Context(step="ask").model


@pytest.mark.filterwarnings("ignore:Field name")
def test_an_option_cannot_take_a_name_of_the_api() -> None:
    with pytest.raises(TypeError, match="option 'columns' has a name that Generator uses itself"):
        type("Odd", (Ask,), {"__annotations__": {"columns": list[str]}, "columns": []})
