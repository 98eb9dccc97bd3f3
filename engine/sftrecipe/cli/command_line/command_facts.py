"""The command line as plain facts: pages of help and completion need no command's modules.

`command_facts.json` holds them, written by `python -m sftrecipe.cli.command_line.command_facts`; a
command that it does not know is imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from sftrecipe.cli.command_line.completed_values import offered
from sftrecipe.cli.command_line.help_page import PageCommand, PageGroup

Facts = dict[str, Any]
FILE = Path(__file__).with_name("command_facts.json")


@cache
def known_commands() -> Mapping[str, Facts]:
    """The facts of each command; none where they were not written."""
    try:
        found: dict[str, Facts] = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def facts_of(command: click.Command) -> Facts:
    """What a command takes, and its help."""
    told: Facts = {"help": cleandoc(command.help or "")}
    told["params"] = [_param_facts(each) for each in command.params]
    if isinstance(command, click.Group):
        told["commands"] = {name: facts_of(each) for name, each in command.commands.items()}
        told["alone"] = command.invoke_without_command
    return told


def command_of(facts: Facts, path: tuple[str, ...]) -> click.Command:
    """A command that shows its page and is completed, and does nothing else."""
    params = [_param(each, path) for each in facts["params"]]
    name, text = path[-1], facts["help"]
    if "commands" not in facts:
        return PageCommand(name, help=text, params=params)
    inner = {each: command_of(found, (*path, each)) for each, found in facts["commands"].items()}
    alone = facts["alone"]
    return PageGroup(name, help=text, params=params, commands=inner, invoke_without_command=alone)


def _param_facts(param: click.Parameter) -> Facts:
    told: Facts = {"name": param.name, "type": _type_facts(param.type)}
    if isinstance(param, click.Argument):
        return told | {"nargs": param.nargs, "required": param.required, "metavar": param.metavar}
    assert isinstance(param, click.Option)  # noqa: S101 - there is nothing else
    told |= {"options": param.opts, "otherwise": param.secondary_opts, "help": param.help}
    told |= {"multiple": param.multiple, "required": param.required, "metavar": param.metavar}
    told |= {"flag": param.is_flag, "shown": _shown_default(param)}
    if not param.is_flag and isinstance(param.flag_value, str):
        told["alone"] = param.flag_value
    return {name: value for name, value in told.items() if value not in (None, False, [], "")}


def _shown_default(option: click.Option) -> Any:
    """The default where the page shows it."""
    return option.default if option.show_default else None


def _type_facts(kind: click.ParamType[Any]) -> Facts | None:
    if isinstance(kind, click.Choice):
        return {"choice": list(kind.choices)}
    if isinstance(kind, click.Path):
        return {"path": [kind.file_okay, kind.dir_okay]}
    if isinstance(kind, click.IntRange):
        return {"int": [kind.min, kind.max]}
    if isinstance(kind, click.FloatRange):
        return {"number": [kind.min, kind.min_open]}
    return None


def _param(facts: Facts, path: tuple[str, ...]) -> click.Parameter:
    kind = _type(facts.get("type"))
    metavar, required = facts.get("metavar"), facts.get("required", False)
    if "options" not in facts:
        given: Facts = {"nargs": facts["nargs"], "shell_complete": offered(path, facts["name"])}
        return click.Argument(
            [facts["name"]], type=kind, required=required, metavar=metavar, **given
        )
    names = list(facts["options"])
    names[-1] = "/".join([names[-1], *facts.get("otherwise", [])])
    given = {"help": facts.get("help"), "required": required, "metavar": metavar}
    given["shell_complete"] = offered(path, facts["name"])
    if facts.get("flag"):
        given |= {"is_flag": True}
    else:
        given |= {"type": kind, "multiple": facts.get("multiple", False)}
    if "shown" in facts:
        given |= {"default": facts["shown"], "show_default": True}
    if "alone" in facts:
        given |= {"is_flag": False, "flag_value": facts["alone"]}
    return click.Option([*names, facts["name"]], **given)


def _type(facts: Facts | None) -> click.ParamType[Any] | None:
    if not facts:
        return None
    [(kind, values)] = facts.items()
    if kind == "choice":
        return click.Choice(values)
    if kind == "path":
        return click.Path(file_okay=values[0], dir_okay=values[1])
    if kind == "int":
        return click.IntRange(min=values[0], max=values[1])
    return click.FloatRange(min=values[0], min_open=values[1])


def written_facts() -> str:
    """The file's text: the facts of every command."""
    from sftrecipe.cli.main import COMMANDS, imported_command  # noqa: PLC0415 - it imports this

    facts = {name: facts_of(imported_command(name)) for name in COMMANDS}
    return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(written_facts(), encoding="utf-8")
