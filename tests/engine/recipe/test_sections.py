"""The table of sections says of the language what the language says of itself."""

from __future__ import annotations

import pytest

from sftrecipe.plugin.discovery import KINDS
from sftrecipe.recipe.language.keys import RecipeShape
from sftrecipe.recipe.language.sections import SECTIONS, Section


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_a_row_agrees_with_the_language(section: Section) -> None:
    shape = section.shape
    assert section.shape.__name__ in str(RecipeShape.model_fields[section.name].annotation)
    keys = {info.alias or name for name, info in shape.model_fields.items()}
    assert "use" in keys
    assert section.reads is None or section.reads in keys
    assert section.beside == ("with" not in keys)
    assert (section.default_use is None) == shape.model_fields["use"].is_required()


def test_every_kind_of_plugin_has_its_section() -> None:
    assert sorted(section.kind for section in SECTIONS.values()) == sorted(KINDS)
