"""Reading the request that a model wrote."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sftrecipe_registry.generators.backtranslate import instruction_in


@given(st.text())
def test_any_reply_is_read(reply: str) -> None:
    asked = instruction_in(reply)
    assert asked in reply
    assert instruction_in(f"Instruction: {asked}") in asked


@given(st.text(alphabet="abc 你", min_size=1).filter(str.strip))
def test_label_and_quotes_go(asked: str) -> None:
    for wrapped in (
        "Request: {}",
        '"{}"',
        "**指令：** {}",
        "**Instruction**: {}",
        "### **问题：**\n{}",
        "“{}”",
        "**{}**",
        "「{}」",
    ):
        assert instruction_in(wrapped.format(asked.strip())) == asked.strip()
