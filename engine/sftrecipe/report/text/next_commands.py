"""What a user does after a run: one row to look at, and the commands that go on from it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from shlex import quote

from sftrecipe.messages import message
from sftrecipe.record import Record
from sftrecipe.run.output_folder import REPORT_FILE
from sftrecipe.run.run_plan import Outcome
from sftrecipe.store.project import project_of
from sftrecipe.turns.shown_turns import shown_turns

_SHOWN = 90


def next_commands(outcome: Outcome) -> str:
    """The first row and up to three commands, a line each."""
    row = _first_row(outcome)
    lines = [message("next-row", {"row": _row_line(row)})] if row else []
    lines.append(message("next-report", {"path": outcome.out / REPORT_FILE}))
    if row:
        command = f"sftrecipe explain {row.id} --run {quote(str(outcome.out))}"
        lines.append(message("next-explain", {"command": command}))
    return "\n".join([*lines, *_training_line(outcome)])


def command_arguments(outcome: Outcome) -> str:
    """Recipe and options, as a command names them that goes on in the same output folder."""
    recipe = outcome.run.plan.recipe
    usual = project_of(recipe.path).run_folder(recipe.name).resolve()
    elsewhere = "" if outcome.out == usual else f" --out {quote(str(outcome.out))}"
    return f"{recipe.in_commands}{elsewhere}"


def _first_row(outcome: Outcome) -> Record | None:
    """The first of the rows that were exported."""
    run = outcome.run
    for done in run.done:
        if done.step.block.section == "export":
            for name in done.step.reads:
                for row in islice(run.streams[name], 1):
                    return row
    return None


def _row_line(row: Record) -> str:
    """A row's first turn and its answer, or its first texts, on one line."""
    turns = [str(turn["content"]) for turn in shown_turns(row.columns)]
    texts = [turns[0], turns[-1]] if len(turns) > 1 else turns
    found = texts or [value for value in row.columns.values() if isinstance(value, str) and value]
    return " → ".join(_one_line(text) for text in found[:2])


def _one_line(text: str) -> str:
    whole = " ".join(text.split())
    line = "".join(character for character in whole if character.isprintable())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


def _training_line(outcome: Outcome) -> Iterator[str]:
    """How to train on the data, where the recipe says what and the run did not."""
    recipe = outcome.run.plan.recipe
    if not recipe.train or outcome.run.models:
        return
    command = f"sftrecipe train {command_arguments(outcome)}"
    if any(True for block in recipe.train for _ in block.plugin.missing()):
        command = f"sftrecipe env train && {command}"
    yield message("next-train", {"command": command})
