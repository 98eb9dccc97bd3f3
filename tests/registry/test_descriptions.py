"""Built-in plugins and their options are described in Chinese too, by their English texts."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sftrecipe.messages.catalogues import descriptions
from sftrecipe.plugin import RowFilter
from sftrecipe.plugin.discovery import KINDS, plugins
from sftrecipe.plugin.package_source import source_files
from sftrecipe.report.pages.plugin_page import plugin_page
from sftrecipe.report.text.plugin_descriptions import described

PACKAGES = ("sftrecipe.plugin", "sftrecipe_registry")
ARGUMENT = re.compile(r"; of the \w+ arguments \(|^[\w ,]+ arguments \(")
"""Names and types of LLaMA-Factory's, put together from its own table."""


@cache
def told() -> dict[tuple[str, str], str]:
    """What every built-in plugin says, by kind, name and option, and in one line."""
    return dict(_told())


def _told() -> Iterator[tuple[tuple[str, str], str]]:
    for kind in KINDS:
        for name, found in plugins(kind).items():
            if found.entry.value.startswith("sftrecipe_registry"):
                page = plugin_page(found)
                yield (kind, name), page.description
                for option in page.options:
                    if not ARGUMENT.search(option.doc):
                        yield (kind, f"{name}: {option.name}"), option.doc


def in_a_line(text: str) -> str:
    return " ".join(text.split())


@cache
def pairs() -> dict[str, str]:
    return {en: zh for package in PACKAGES for en, zh in descriptions(package, "zh").items()}


def test_all_is_told_in_chinese() -> None:
    assert {whose for whose, text in told().items() if in_a_line(text) not in pairs()} == set()


def test_nothing_is_translated_that_no_plugin_says() -> None:
    assert pairs().keys() - {in_a_line(text) for text in told().values()} == set()


def test_names_in_backticks_are_the_same() -> None:
    spans = re.compile(r"`[^`]*`")
    for english, chinese in pairs().items():
        assert Counter(spans.findall(english)) == Counter(spans.findall(chinese)), english
        assert re.search(r"[\u4e00-\u9fff]", chinese), english


def test_another_package_is_described_as_far_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "described_elsewhere"
    package.mkdir()
    package.joinpath("__init__.py").touch()
    package.joinpath("descriptions.zh.yaml").write_text(
        "- en: Keep all.\n  zh: 全部保留。\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("described_elsewhere")
    plugin = type("Elsewhere", (RowFilter,), {"__module__": "described_elsewhere.inner"})
    assert described("Keep\nall.", plugin, "zh") == "全部保留。"
    assert described("Keep none.", plugin, "zh") == "Keep none."
    assert described("Keep\nall.", plugin, "en") == "Keep\nall."
    assert [name for name, _ in source_files(plugin)] == ["described_elsewhere/__init__.py"]


def test_a_chinese_session_shows_them() -> None:
    shown = {
        language: subprocess.run(
            [sys.executable, "-m", "sftrecipe.cli.main", "plugins", "show", "length"],
            env={**os.environ, "SFTRECIPE_LANG": language},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for language in ("zh", "en")
    }
    assert "保留回答长短适中的行" in shown["zh"]
    assert "Keep rows whose answer is neither" not in shown["zh"]
    assert "Keep rows whose answer is neither" in shown["en"]
