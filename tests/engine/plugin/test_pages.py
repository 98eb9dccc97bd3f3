"""`sftrecipe plugins` and `plugins show`, out of the classes."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Le, MinLen
from click.testing import CliRunner
from pydantic import BaseModel

from sftrecipe import Context, Record, RowFilter, Verdict
from sftrecipe.cli.plugins import plugins
from sftrecipe.errors import PluginError, UsageError
from sftrecipe.plugin import ColumnName, InputFile, PromptMarker, ProviderName, Sampling
from sftrecipe.plugin.discovery import Found
from sftrecipe.plugin.measured import Measured, measured
from sftrecipe.report.pages.plugin_page import PluginPage, plugin_page
from sftrecipe.report.text.plugin_text import pages_text, plugin_lines, plugins_named


class Weight(BaseModel):
    share: Annotated[float, Gt(0)]
    """How much."""


class Sample(RowFilter, Sampling):
    """Keeps what a model likes.

    And says why.
    """

    needs = frozenset({"chat", "logprobs"})
    paper = "Somebody (2025), section 3"

    prompt: Annotated[str, PromptMarker(variables=frozenset({"topic"}))] = "Good?\n{{ output }}"
    """What the model is asked."""
    mode: Literal["mean", "max"] = "mean"
    """How marks
    are joined."""
    judge_by: ProviderName
    """Who marks."""
    lists: Annotated[list[InputFile], MinLen(1)]
    """Word lists."""
    column: ColumnName = "output"
    top: Annotated[int, Ge(1), Le(5)] | None = None
    weights: dict[str, Weight] = {}
    """By topic."""

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        return Verdict(True)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> PluginPage:
    found = Found("filter", "sample", EntryPoint("sample", "x:y", "sftrecipe.filters"))
    monkeypatch.setattr(Found, "load", lambda self: Sample)
    return plugin_page(found)


def test_page_says_all_of_the_class(page: PluginPage) -> None:
    assert page.summary == "Keeps what a model likes."
    assert page.description.endswith("And says why.")
    assert (page.scope, page.needs) == ("row", ("chat", "logprobs"))
    assert page.paper == "Somebody (2025), section 3"
    (prompt,) = page.prompts
    assert prompt.default == "Good?\n{{ output }}"
    assert prompt.variables == ("topic",)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prompt", "prompt (Jinja2 text, or file path)"),
        ("mode", "one of 'mean', 'max'"),
        ("judge_by", "provider name"),
        ("lists", "list of file paths"),
        ("column", "column name"),
        ("top", "whole number"),
        ("temperature", "number"),
        ("stop", "list of text"),
        ("weights", "mapping of names to mapping with the options below"),
        ("weights.<name>.share", "number"),
    ],
)
def test_types_in_plain_words(name: str, said: str, page: PluginPage) -> None:
    assert {option.name: option.type for option in page.options}[name] == said


def test_options_say_limits_defaults_and_docs(page: PluginPage) -> None:
    options = {option.name: option for option in page.options}
    assert options["top"].constraints == ("at least 1", "at most 5")
    assert options["lists"].constraints == ("1 or more items",)
    assert options["weights.<name>.share"].constraints == ("more than 0",)
    assert options["mode"].default == "mean"
    assert options["mode"].doc == "How marks are joined."
    assert [name for name, option in options.items() if option.required] == [
        "judge_by",
        "lists",
        "weights.<name>.share",
        "thinking.budget",
    ]


def test_text_page(page: PluginPage) -> None:
    text = pages_text([page])
    assert "needs: a provider with chat, logprobs" in text
    assert "  top: whole number, at least 1, at most 5\n" in text
    assert "    | {{ output }}" in text
    assert "  - use: sample\n      provider: <a provider of the recipe>\n      with:\n" in text


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        plugins_named("lenght")
    assert caught.value.problem.advice("en") == "did you mean 'length'?"
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(("kind", "called"), [((), "插件"), (("--kind", "filter"), "过滤器")])
def test_an_unknown_one_is_called_by_one_word(kind: tuple[str, ...], called: str) -> None:
    found = CliRunner().invoke(plugins, ["show", "lenght", *kind])
    assert isinstance(found.exception, UsageError)
    assert found.exception.problem.message("zh") == f"{called} 'lenght' 不存在"


def test_a_plugin_that_cannot_be_imported_is_listed_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = Found("filter", "broken", EntryPoint("broken", "no_such:X", "sftrecipe.filters"))
    with pytest.raises(PluginError, match="no_such"):
        broken.load()
    monkeypatch.setattr(
        "sftrecipe.report.text.plugin_text.plugins_of", lambda kind: {"broken": broken}
    )
    (line,) = plugin_lines("filter")
    assert line.error is not None
    result = CliRunner().invoke(plugins, ["--kind", "filter"])
    assert result.exit_code == 2
    assert "cannot be imported" in result.output


def test_every_installed_plugin_has_a_page() -> None:
    for line in plugin_lines():
        page = plugin_page(plugins_named(line.name, line.kind)[0])
        assert page.summary, line
        assert [option.name for option in page.options if not option.doc] == [], line


def test_a_page_says_what_a_filter_was_worth(
    monkeypatch: pytest.MonkeyPatch, page: PluginPage
) -> None:
    figures = (
        Measured("refusal", "en", found=9, missed=1, wrong=0, right=30),
        Measured("typo", "zh", found=0, missed=0, wrong=2, right=3),
    )
    text = pages_text([replace(page, measured=figures)])
    assert "measured on labelled rows that it was not made with" in text
    assert "  refusal  en             1.00    0.90      10      30      0" in text
    assert "  typo     zh                -       -       0       5      2" in text
    assert "measured" not in pages_text([page])


def test_figures_lie_beside_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "worthy"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from sftrecipe import RowFilter\n\n\nclass Worthy(RowFilter): pass\n"
    )
    (package / "measured.yaml").write_text(
        "worthy: [{what: a, language: en, found: 1, missed: 1, wrong: 3, right: 5}]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    plugin = import_module("worthy").Worthy
    assert measured(plugin, "other") == ()
    (figure,) = measured(plugin, "worthy")
    assert (figure.precision, figure.recall) == (0.25, 0.5)
