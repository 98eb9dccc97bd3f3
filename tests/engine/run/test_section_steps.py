"""The table of what executes the sections' steps."""

from __future__ import annotations

from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.run.steps.section_steps import STEPS


def test_every_section_that_a_run_comes_to_has_its_steps() -> None:
    assert list(STEPS) == [name for name, section in SECTIONS.items() if section.reach]
