"""Cutting the question out of what a model wrote beyond it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe_registry.methods.magpie.instruction_sanitiser import Rules, sanitised

RULES: tuple[Rules, ...] = ("gemma2", "llama3")


@pytest.mark.parametrize(
    ("text", "question", "gemma2", "llama3"),
    [
        ("*What* is a star? It is hot.", "What is a star?", "1", "1"),
        ('"Why?" she asked.', "Why?", "2.1", "2.1"),
        ('"Name a star."\nThe sun.', "Name a star.", "2.2", "2.2"),
        ("<b>Name a star.</b>\nThe sun.", "Name a star.", "3", "3"),
        ("Name a star. Answer: the sun.", "Name a star.", "4", "4"),
        ("Solve it:\n# Hint\nthink", "Solve it:", "5.1", "6.1"),
        ("Solve it:\nHow much is 1 + 1? Two.", "Solve it:\nHow much is 1 + 1?", "5.2", "6.2"),
        ("Solve it:\n1 + 1", "Solve it:", "5.3", "6.3"),
        ("1. Question 2: Is 1.5 > 1? Yes.", "Is 1.5 > 1?", "6.1", "99.1"),
        ("1.5 litres of *milk*\nand eggs", "1.5 litres of milk", "6.2", "99.2"),
        ("**Task** Name a star.", "Name a star.", "6.2", "99.2"),
        ("Problem: Name a star.", "Name a star.", "6.2", "99.2"),
    ],
)
def test_the_question_alone(text: str, question: str, gemma2: str, llama3: str) -> None:
    assert sanitised(text, "gemma2") == (question, gemma2)
    assert sanitised(text, "llama3") == (question, llama3)


def test_steps_are_cut_for_llama() -> None:
    text = "Add 1 and 1. ## Step 1: look"
    assert sanitised(text, "llama3") == ("Add 1 and 1.", "5")


@settings(deadline=None)
@given(st.text(), st.sampled_from(RULES))
def test_any_text_keeps_no_more_than_it_had(text: str, rules: Rules) -> None:
    found = sanitised(text, rules)
    assert found.rule
    assert found.text == found.text.strip()
    assert len(found.text) <= len(text)
