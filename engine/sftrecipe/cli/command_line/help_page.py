"""The pages of `--help`: in the user's language, folded to the terminal, with examples."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from inspect import cleandoc

import click

from sftrecipe.messages import user_language
from sftrecipe.report.text.folding import cells, folded

_NARROWEST, _WIDEST = 30, 80
_EXAMPLES = {"en": "Examples", "zh": "示例"}
DOCUMENTATION = {"en": "Documentation", "zh": "文档"}
_CLICK = ("core", "exceptions", "types", "formatting", "parser", "decorators", "termui")


def speak_users_language() -> None:
    """Have the library that reads the command line speak Chinese too, where the user does."""
    if user_language() != "zh":
        return
    from sftrecipe.messages.help.help_zh import CLICK  # noqa: PLC0415

    def told(text: str) -> str:
        return CLICK.get(text, text) if user_language() == "zh" else text

    def told_of(one: str, more: str, count: int) -> str:
        return told(one if count == 1 else more)

    for name in _CLICK:  # each took gettext's functions by these names
        module = sys.modules.get(f"click.{name}")
        for function, ours in (("_", told), ("ngettext", told_of)):
            if hasattr(module, function):
                setattr(module, function, ours)


def page_text(path: Sequence[str], english: str) -> str:
    """A command's help in the user's language."""
    if user_language() == "zh":
        from sftrecipe.messages.help.help_zh import COMMANDS  # noqa: PLC0415

        return COMMANDS.get(" ".join(path), english)
    return english


def option_text(english: str) -> str:
    """An option's help in the user's language."""
    if user_language() == "zh":
        from sftrecipe.messages.help.help_zh import OPTIONS  # noqa: PLC0415

        return OPTIONS.get(english, english)
    return english


def first_sentence(text: str) -> str:
    """What a list says of a command: the first paragraph of its help."""
    return " ".join(text.strip().partition("\n\n")[0].split())


class HelpText(click.HelpFormatter):
    """A page that counts wide characters right and is no wider than the terminal."""

    def __init__(
        self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None
    ) -> None:
        if width is None:
            most = min(shutil.get_terminal_size().columns, max_width or _WIDEST)
            width = max(most - 2, _NARROWEST)
        super().__init__(indent_increment, width, max_width)

    def write_text(self, text: str) -> None:
        """Write paragraphs, folded."""
        indent = " " * self.current_indent
        paragraphs = [" ".join(each.split()) for each in text.strip().split("\n\n")]
        told = [folded(each, self.width - self.current_indent) for each in paragraphs]
        self.write("\n\n".join("\n".join(indent + line for line in lines) for lines in told) + "\n")

    def write_heading(self, heading: str) -> None:
        """Write a part's heading."""
        colon = "：" if user_language() == "zh" else ":"
        self.write(f"{' ' * self.current_indent}{heading}{colon}\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names with what they mean; under the names where those are long."""
        rows, indent = list(rows), " " * self.current_indent
        width = min(max((cells(name) for name, _ in rows), default=0), col_max, self.width // 3)
        start = self.current_indent + width + col_spacing
        for name, text in rows:
            lines = folded(" ".join(text.split()), self.width - start) if text else [""]
            if cells(name) > width:
                self.write(f"{indent}{name}\n")
            else:
                padding = " " * (width - cells(name) + col_spacing)
                self.write(f"{indent}{name}{padding}{lines.pop(0)}".rstrip() + "\n")
            for line in lines:
                self.write(f"{' ' * start}{line}\n" if line else "")


class PageContext(click.Context):
    """A context whose pages are `HelpText`."""

    formatter_class = HelpText


class PageCommand(click.Command):
    """A command that shows its page."""

    context_class = PageContext

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(page_text(_path(ctx), cleandoc(self.help or "")))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its options, in the user's language."""
        for param in self.params:
            if isinstance(param, click.Option) and param.help:
                param.help = option_text(param.help)
        super().format_options(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lines that can be typed."""
        from sftrecipe.messages.help.examples import EXAMPLES  # noqa: PLC0415 - pages alone show them

        language = user_language()
        shown = EXAMPLES.get(" ".join(_path(ctx)), ())
        if shown:
            formatter.write_paragraph()
            formatter.write_heading(_EXAMPLES[language])
        for line, english, chinese in shown:
            formatter.write(f"  # {chinese if language == 'zh' else english}\n  {line}\n")


class PageGroup(PageCommand, click.Group):
    """A command of several that shows its page."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Its commands, each with a sentence."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            text = cleandoc(command.help or "") if command else ""
            rows.append((name, first_sentence(page_text((*_path(ctx), name), text))))
        heading = "命令" if user_language() == "zh" else "Commands"
        with formatter.section(heading):
            formatter.write_dl(rows)


def _path(ctx: click.Context) -> tuple[str, ...]:
    """The command's words, without the program's name."""
    found: list[str] = []
    step: click.Context | None = ctx
    while step is not None and step.parent is not None:
        found.insert(0, step.command.name or "")
        step = step.parent
    return tuple(found)
