"""Prompts that a plugin brings."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.prompts.prompt import own_prompt, own_prompts
from sftrecipe.testing import own_files

_MODULE = '''
from typing import Annotated
from sftrecipe import RowGenerator
from sftrecipe.plugin import PromptMarker

class Asks(RowGenerator):
    """Asks."""
    first: Annotated[str, PromptMarker()] = "builtin:asks/first"
    rest: dict[str, Annotated[str, PromptMarker()]] = {"deeper": "builtin:asks/deeper"}
    async def generate_row(self, row, ctx):
        return []
'''


@pytest.fixture
def asks(tmp_path: Path) -> Iterator[type[Plugin]]:
    folder = tmp_path / "prompts" / "asks"
    folder.mkdir(parents=True)
    (folder / "first.en.j2").write_text("Say {{ word }}.")
    (folder / "first.zh.j2").write_text("说{{ word }}。")
    (folder / "first.more.en.j2").write_text("another prompt")
    (folder / "deeper.en.j2").write_text("Deeper: {{ word }}")
    (tmp_path / "outside.en.j2").write_text("not a prompt of the plugin")
    file = tmp_path / "asks_plugin.py"
    file.write_text(_MODULE)
    spec = importlib.util.spec_from_file_location("asks_plugin", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["asks_plugin"] = module
    spec.loader.exec_module(module)
    yield module.Asks
    del sys.modules["asks_plugin"]


@pytest.mark.parametrize(
    ("language", "first", "deeper"),
    [
        ("en", "Say ah.", "Deeper: ah"),
        ("zh", "说ah。", "Deeper: ah"),
        ("zh-CN", "说ah。", "Deeper: ah"),
        ("fr", "Say ah.", "Deeper: ah"),
    ],
)
def test_in_the_recipes_language_or_english(
    asks: type[Plugin], language: str, first: str, deeper: str
) -> None:
    ctx = Context("s", files=own_files(asks(), language))
    assert ctx.prompt("builtin:asks/first").render({"word": "ah"}) == first
    assert ctx.prompt("builtin:asks/deeper").render({"word": "ah"}) == deeper


def test_every_language_is_listed(asks: type[Plugin]) -> None:
    assert own_prompts(asks, "builtin:asks/first") == {
        "en": "Say {{ word }}.",
        "zh": "说{{ word }}。",
    }


@pytest.mark.parametrize("name", ["asks/none", "../outside", "/etc/passwd", ""])
def test_nothing_outside_its_prompts(asks: type[Plugin], name: str) -> None:
    assert own_prompt(asks, f"builtin:{name}", "en") is None


def test_a_subclass_inherits_them(asks: type[Plugin]) -> None:
    class Louder(asks):  # type: ignore[misc, valid-type]
        """Asks louder."""

    assert own_prompt(Louder, "builtin:asks/first", "en") is not None


def test_a_context_without_the_file_says_so() -> None:
    with pytest.raises(LookupError, match="own_files"):
        Context("step").prompt("builtin:greet/ask")
    assert Context("step").prompt("builtin: {{ word }}").render({"word": "a"}) == "builtin: a"
