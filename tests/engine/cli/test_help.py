"""Every page of `--help`: in two languages, with examples that work, no wider than a terminal."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from sftrecipe import messages
from sftrecipe.cli.command_line.command_facts import FILE, command_of, facts_of, written_facts
from sftrecipe.cli.command_line.help_page import HelpText, first_sentence
from sftrecipe.cli.main import COMMANDS, cli, imported_command
from sftrecipe.messages.help import help_zh
from sftrecipe.messages.help.examples import EXAMPLES

_OF_PROGRAMMERS = ("DeprecationWarning", "deprecat", "No options defined", "Could not determine",
                   "Arguments take exactly", "defined twice", "Boolean option", "must be an iter",
                   "editor", "bash", "Bash", "Unknown color", "UUID", "format", "Invalid start",
                   "Press any key", "Repeat for", "two entered", "invalid input", "Do you want",
                   "Confirm the", "Choice({")  # fmt: skip
"""Texts of click that no command line of ours brings about, and its questions, which are ours."""


def _commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    def inside(
        path: tuple[str, ...], command: click.Command
    ) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            for name, each in command.commands.items():
                yield from inside((*path, name), each)

    for name in COMMANDS:
        yield from inside((name,), imported_command(name))


ALL = dict(_commands())


def test_the_facts_of_the_command_line_are_written_anew() -> None:
    """`python -m sftrecipe.cli.command_line.command_facts` writes them."""
    assert FILE.read_text(encoding="utf-8") == written_facts()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_without_the_command_says_what_the_command_would(name: str) -> None:
    command = imported_command(name)
    shown = command_of(facts_of(command), (name,))
    assert _rows(shown) == _rows(command)


def _rows(command: click.Command) -> list[tuple[str, str] | None]:
    context = click.Context(command, info_name="x")
    usage = command.get_usage(context)
    return [(usage, ""), *(each.get_help_record(context) for each in command.params)]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_a_command_has_its_page_in_chinese(path: tuple[str, ...]) -> None:
    text = help_zh.COMMANDS[" ".join(path)]
    assert first_sentence(text).endswith("。")
    options = [each for each in ALL[path].params if isinstance(each, click.Option)]
    lacking = [each.help for each in options if each.help and each.help not in help_zh.OPTIONS]
    assert not lacking, "messages/help/help_zh.py lacks them"


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_a_command_has_examples_that_it_takes(path: tuple[str, ...]) -> None:
    shown = EXAMPLES[" ".join(path)]
    assert 2 <= len(shown) <= 3
    for line, english, chinese in shown:
        assert english and chinese
        typed = re.split(r" \| | && ", line.removeprefix('eval "$(').removesuffix(')"'))[0]
        words = [each for each in shlex.split(typed) if each != ">"]
        assert words.pop(0) == "sftrecipe"
        _check_taken(words)


def _check_taken(words: list[str]) -> None:
    """Raises click.UsageError where a word is no command or option."""
    command, context = imported_command(words[0]), click.Context(cli, info_name="sftrecipe")
    while True:
        context = click.Context(command, context, info_name=words.pop(0))
        _, left, _ = command.make_parser(context).parse_args(list(words))
        if not (isinstance(command, click.Group) and left):
            return
        command, words = command.commands[left[0]], left


def test_every_text_of_the_library_has_its_chinese() -> None:
    names = ("core", "exceptions", "types", "formatting", "parser", "decorators", "termui")
    modules = [importlib.import_module(f"click.{name}") for name in names]
    trees = [ast.walk(ast.parse(inspect.getsource(module))) for module in modules]
    calls = [
        node
        for tree in trees
        for node in tree
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "ngettext")
    ]
    told = {
        each.value
        for call in calls
        for each in call.args
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    lacking = [each for each in told if each not in help_zh.CLICK]
    assert [each for each in lacking if not any(text in each for text in _OF_PROGRAMMERS)] == [
        each for each in lacking if each == "Error: {message}"
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [40, 80])
def test_pages_are_no_wider_than_the_terminal(
    language: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("SFTRECIPE_LANG", language)
    messages.user_language.cache_clear()
    try:
        for name in ("", "run", "plugins", "explain"):
            page = CliRunner().invoke(cli, [*([name] if name else []), "--help"]).stdout
            examples = page.index("示例：" if language == "zh" else "Examples:")
            assert max(map(cell_len, page[:examples].splitlines())) <= width
    finally:
        messages.user_language.cache_clear()


def test_the_first_page_names_the_folder_of_the_documentation() -> None:
    page = CliRunner().invoke(cli, ["--help"], env={"SFTRECIPE_LANG": "en"}).stdout
    folder = Path(page.partition("Documentation:\n")[2].strip())
    assert (folder / "vendors.md").is_file()


def test_chinese_is_folded_by_its_cells() -> None:
    page = HelpText(width=20)
    page.write_dl([("--out", "输出文件夹；默认为 runs/NAME。")])
    assert [cell_len(line) for line in page.getvalue().splitlines()] == [19, 19, 13]
