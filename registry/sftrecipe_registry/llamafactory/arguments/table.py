"""The training arguments LLaMA-Factory accepts, and what is wrong with a recipe's.

LLaMA-Factory itself says so only after a slow import, and checks no types at all. The table comes
from the training environment's own sources when there is one, else from the snapshot beside this
file, which `python -m sftrecipe_registry.llamafactory.arguments.table SITE_PACKAGES` makes.
"""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, reduce
from pathlib import Path
from typing import Literal, NamedTuple

from sftrecipe.plugin import Text, Texts
from sftrecipe_registry.llamafactory.arguments.argument import Argument, ArgumentTable
from sftrecipe_registry.llamafactory.arguments.old_names import (
    GONE,
    GONE_VALUES,
    RENAMED,
    REVALUED,
)

texts = Texts(__package__)

SNAPSHOT = "snapshot.json"

ALSO_ACCEPTED: Mapping[str, tuple[str, ...]] = {"resume_from_checkpoint": ("bool",)}
"""Types an argument takes beyond those it declares."""

POSITIVE = frozenset(
    {
        *("cutoff_len", "gradient_accumulation_steps", "learning_rate", "lora_rank"),
        *("num_train_epochs", "per_device_eval_batch_size", "per_device_train_batch_size"),
    }
)
"""Numbers that nothing is trained with, or that it fails on later, unless they are above 0."""

# What YAML 1.2 and LLaMA-Factory's reader take for a number and YAML 1.1 leaves a string: 1e-5.
NUMBER = re.compile(r"[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)[eE][-+]?\d+")
SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

ProblemKind = Literal["unknown", "renamed", "type", "choice"]


@dataclass(frozen=True)
class ArgumentProblem:
    """One thing wrong with one argument."""

    name: str
    kind: ProblemKind
    value: object
    expected: str | None = None
    """What the argument takes; none for an unknown one."""
    suggestion: object = None
    """The name, or for `type` and `choice` the value, that was probably meant."""
    advice: str | None = None
    """What to do where a name or value has no successor of its own, or another value with it."""


@lru_cache(maxsize=1)
def shipped() -> ArgumentTable:
    """Return the snapshot's table."""
    return read_snapshot(Path(__file__).with_name(SNAPSHOT))


def read_snapshot(file: Path) -> ArgumentTable:
    """Return the table of a snapshot's file."""
    content = json.loads(file.read_text(encoding="utf-8"))
    arguments = {
        name: Argument(
            name,
            tuple(row["types"]),
            row.get("optional", False),
            tuple(row.get("choices", ())),
            row["default"],
            row["group"],
            row.get("splits", False),
        )
        for name, row in content["arguments"].items()
    }
    return ArgumentTable(
        f"{content['version']}, snapshot", arguments, frozenset(content["templates"])
    )


def from_environment(site_packages: Path) -> ArgumentTable:
    """Return the table of the LLaMA-Factory installed there, read from its sources."""
    # Not at the top: the reader parses Python, which those who read the snapshot never pay for.
    from sftrecipe_registry.llamafactory.arguments.sources import argument_table  # noqa: PLC0415

    return argument_table(site_packages)


def find_site_packages(command_or_env: str) -> Path | None:
    """Return the site-packages with LLaMA-Factory behind a venv, a python or a command line."""
    from sftrecipe_registry.llamafactory.arguments.sources import package_folder  # noqa: PLC0415

    for prefix in _prefixes(command_or_env):
        for pattern in ("lib/python3*/site-packages", "Lib/site-packages"):
            for folder in sorted(prefix.glob(pattern)):
                if package_folder(folder, "llamafactory") is not None:
                    return folder
    return None


def _prefixes(command_or_env: str) -> Iterator[Path]:
    path = Path(command_or_env).expanduser()
    if path.is_dir():
        yield path
        return
    if not path.exists():
        words = shlex.split(command_or_env)
        found = shutil.which(str(Path(words[0]).expanduser())) if words else None
        if found is None:
            return
        path = Path(found)
    # As named first: a venv's python is a link to one that knows nothing of the venv.
    yield path.absolute().parent.parent
    yield path.resolve().parent.parent
    with path.open("rb") as file:
        start = file.readline(1000)
    if start.startswith(b"#!"):
        yield Path(start[2:].decode(errors="replace").split()[0]).parent.parent


def check_arguments(
    values: Mapping[str, object], table: ArgumentTable
) -> Iterator[ArgumentProblem]:
    """Yield what LLaMA-Factory would refuse, or take and fail on later."""
    for name, value in values.items():
        argument = table.arguments.get(name)
        if argument is None:
            yield _unknown(name, value, table)
        elif (old := _old_value(name, value)) and not _is_taken(value, argument, table):
            expected = texts("template-name") if name == "template" else _expected(argument)
            advice = texts(old.advice) if old.advice else None
            yield ArgumentProblem(name, "choice", value, expected, old.now, advice)
        elif not _has_type(value, argument):
            suggestion = _converted(value, argument)
            kind: ProblemKind = "choice" if argument.choices else "type"
            yield ArgumentProblem(name, kind, value, _expected(argument), suggestion)
        elif argument.choices and value is not None and value not in argument.choices:
            meant = _closest(str(value), map(str, argument.choices))
            yield ArgumentProblem(name, "choice", value, _expected(argument), meant)
        elif name in POSITIVE and isinstance(value, int | float) and value <= 0:
            yield ArgumentProblem(name, "type", value, texts("above-zero"))
        elif name == "template" and value is not None and value not in table.templates:
            meant = _closest(str(value), table.templates)
            yield ArgumentProblem(name, "choice", value, texts("template-name"), meant)


_NAMED = {
    "bool": "a-boolean",
    "int": "a-whole-number",
    "float": "a-number",
    "str": "a-text",
    "list": "a-list",
    "dict": "a-mapping",
}
"""What values of a type are called in YAML."""


def _expected(argument: Argument) -> str:
    """The argument's types, as `type` has them, in the user's language."""
    names: list[str] = [texts(_NAMED[each]) if each in _NAMED else each for each in argument.types]
    if argument.choices:
        names = [texts("one-of", choices=", ".join(map(str, argument.choices)))]
    if argument.optional:
        names.append("null")
    return reduce(lambda one, other: texts("either", one=one, other=other), names)


def explained(problem: ArgumentProblem, table: ArgumentTable) -> tuple[Text, str | None]:
    """A problem in words, and what to write instead where that is known."""
    import yaml  # noqa: PLC0415

    meant, hint, name = problem.suggestion, problem.advice, problem.name
    if problem.kind in ("unknown", "renamed"):
        if hint is None and meant is not None:
            is_sure = problem.kind == "renamed"
            hint = texts("is-called" if is_sure else "did-you-mean", meant=meant)
        return texts("no-such-argument", name=name, version=table.version), hint
    if meant is not None:
        hint = texts("write-value", written=yaml.safe_dump(meant).splitlines()[0])
    value = "null" if problem.value is None else problem.value
    expected, version = problem.expected, table.version
    return texts("wrong-value", name=name, value=value, expected=expected, version=version), hint


def normalized(values: Mapping[str, object], table: ArgumentTable) -> dict[str, object]:
    """Return the values with `1e-5` as the number it is to LLaMA-Factory's own YAML reader."""
    return {
        name: float(value)
        if isinstance(value, str) and name in table.arguments and _is_number(value, name, table)
        else value
        for name, value in values.items()
    }


def _is_number(value: str, name: str, table: ArgumentTable) -> bool:
    types = table.arguments[name].types
    return "float" in types and "str" not in types and NUMBER.fullmatch(value) is not None


def _unknown(name: str, value: object, table: ArgumentTable) -> ArgumentProblem:
    new = RENAMED.get(name)
    if new is not None and new in table.arguments:
        old = _old_value(name, value)
        advice = _as_now(new, old.now) if old else None
        return ArgumentProblem(name, "renamed", value, suggestion=new, advice=advice)
    if name in GONE:
        return ArgumentProblem(name, "unknown", value, advice=texts(GONE[name]))
    return ArgumentProblem(name, "unknown", value, suggestion=_closest(name, table.arguments))


class _OldValue(NamedTuple):
    """What became of a value of former times."""

    now: object
    advice: str | None
    """The slug of what to do."""


def _old_value(name: str, value: object) -> _OldValue | None:
    """None where the value never was one; lists and objects never were."""
    if not isinstance(value, str | int | float):
        return None
    values, advice = REVALUED.get(name, {}), GONE_VALUES.get(name, {})
    switch = SWITCHES.get(value.lower(), value) if isinstance(value, str) else value
    for key in (value, switch):
        if key in values or key in advice:
            return _OldValue(values.get(key), advice.get(key))
    return None


def _is_taken(value: object, argument: Argument, table: ArgumentTable) -> bool:
    """Whether the installed version still takes it."""
    return value in (table.templates if argument.name == "template" else argument.choices)


def _as_now(name: str, value: object) -> Text:
    import yaml  # noqa: PLC0415 - only a mistake needs it

    if value is None:
        return texts("leave-it-out")
    written = yaml.safe_dump({name: value}, default_flow_style=True).strip()[1:-1]
    return texts("write-value", written=written)


def _closest(word: str, words: Iterator[str] | Mapping[str, object] | frozenset[str]) -> str | None:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    return next(iter(get_close_matches(word, sorted(words), n=1)), None)


def _has_type(value: object, argument: Argument) -> bool:
    types = {*argument.types, *ALSO_ACCEPTED.get(argument.name, ())}
    if value is None:
        return argument.optional
    if argument.splits:
        types.add("list")
    if "Any" in types:
        return True
    if isinstance(value, bool):
        return "bool" in types
    if isinstance(value, int):
        return bool(types & {"int", "float"}) or ("bool" in types and value in (0, 1))
    if isinstance(value, str) and NUMBER.fullmatch(value) and "float" in types:
        return True
    # A class of the libraries, such as Path or GenerationConfig, is given in YAML as text.
    return type(value).__name__ in types


def _converted(value: object, argument: Argument) -> object:
    """Return the value of the right type that was probably meant, or none."""
    types = set(argument.types)
    if value is False and "no" in argument.choices:
        return "no"  # YAML 1.1 reads a bare `no` as false
    if isinstance(value, str):
        return _converted_text(value, types)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if "int" in types and math.isfinite(value) and value == int(value):
            return int(value)
        return str(value) if "str" in types and not argument.choices else None
    return None


def _converted_text(text: str, types: set[str]) -> object:
    if "bool" in types and text.lower() in SWITCHES:
        return SWITCHES[text.lower()]
    if types & {"int", "float"}:
        try:
            number = float(text)
        except ValueError:
            return None
        if math.isfinite(number) and number == int(number):
            return int(number)
        return number if "float" in types else None
    return [text] if "list" in types else None


def snapshot(table: ArgumentTable) -> str:
    """Return the JSON of a table: what `shipped` reads."""
    rows = {}
    for name, argument in sorted(table.arguments.items()):
        row = {key: value for key, value in asdict(argument).items() if key != "name"}
        unsaid = {key for key in ("optional", "choices", "splits") if not row[key]}
        rows[name] = {key: value for key, value in row.items() if key not in unsaid}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    return (
        f'{{"version": {json.dumps(table.version)},\n"arguments": {{\n{lines}\n}},\n'
        f'"templates": {json.dumps(sorted(table.templates))}}}\n'
    )


if __name__ == "__main__":
    sys.stdout.write(snapshot(from_environment(Path(sys.argv[1]))))
