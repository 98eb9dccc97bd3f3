"""Writing and reading `run.json` in a run's output folder."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.calls.usage import Usage
from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.plan.estimate import NOTHING, Estimate
from sftrecipe.plan.steps import Plan
from sftrecipe.plugin.regular_files import UnusualFile, open_regular
from sftrecipe.run.gate_results import gate_results, limit_results
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.run_record import EstimateAndFact, RunRecord, StepRecord
from sftrecipe.run.run_state import Done, RunState
from sftrecipe.store.project import RUN_FILE


def record_of(run: RunState) -> RunRecord:
    """What a run says of itself, but for how it ended."""
    recipe = run.plan.recipe
    return RunRecord(
        name=recipe.name,
        recipe=str(recipe.path),
        profile=recipe.profile,
        document=recipe.document,
        planned=[step.id for step in run.plan.steps],
        steps=[_step_record(done) for done in run.done],
        data_sets=run.data_sets,
        versions=versions(run.plan),
    )


def _step_record(done: Done) -> StepRecord:
    step, facts = done.step, done.facts
    return StepRecord(
        id=step.id,
        section=step.block.section,
        use=step.block.use,
        key=step.key,
        cached=done.cached,
        reads=step.reads,
        after=step.after,
        makes=step.makes,
        thins=step.thins,
        facts=facts,
        gates=gate_results(step.block, facts),
        limits=limit_results(step.block, facts),
        parts=step.parts,
    )


def estimates_and_facts(
    estimates: Sequence[Estimate], usage: Mapping[tuple[str, str], Usage]
) -> list[EstimateAndFact]:
    """Estimate and fact of every step that asks or was to ask; `usage` is by step and provider."""
    found = []
    for each in estimates:
        fact = {name: used for (step, name), used in usage.items() if step == each.step.id}
        if fact or each.calls != NOTHING:
            found.append(EstimateAndFact(each.step.id, each.facts(), fact))
    return found


def versions(plan: Plan) -> dict[str, str]:
    """Versions of Python, the engine and the packages whose plugins took part."""
    packages = {"sftrecipe"} | {step.block.package for step in plan.steps}
    found = {"python": platform.python_version()}
    for package in sorted(packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def write_run(folder: OutputFolder, run: RunRecord) -> None:
    """Write `run.json`."""
    with folder.create(RUN_FILE) as file:
        file.write(orjson.dumps(run.as_json(), option=orjson.OPT_INDENT_2))


def read_run(out: Path) -> RunRecord | None:
    """What the last run into the folder said of itself; None where there was none.

    Raises SftrecipeError where its account of the rows is damaged.
    """
    found = _whole_run(out)
    if found is None:
        return None
    with readable(out):
        return RunRecord.from_json(found)


def run_before(out: Path) -> RunRecord:
    """The same, as much as can be read, for a run that goes on from it; empty: there was none."""
    found = _whole_run(out)
    return RunRecord() if found is None else RunRecord.from_json(found, strict=False)


def _whole_run(out: Path) -> dict[str, Any] | None:
    """The object of a file that has what every run says of its steps and data sets."""
    try:
        with open_regular(out / RUN_FILE) as file:
            found = orjson.loads(file.read())
    except (FileNotFoundError, NotADirectoryError, UnusualFile, orjson.JSONDecodeError):
        return None
    return found if isinstance(found, dict) and _is_whole(found) else None


def _is_whole(run: Mapping[str, Any]) -> bool:
    parts = (("steps", ("id", "key", "section")), ("outdated", ("name",)))
    lists = [(run.get(name, []), texts) for name, texts in parts]
    return all(
        isinstance(found, list)
        and all(
            isinstance(each, dict) and all(isinstance(each.get(text), str) for text in texts)
            for each in found
        )
        for found, texts in lists
    )


@contextmanager
def readable(out: Path) -> Iterator[None]:
    """Tell of a run's own word that is not what a run writes. Raises SftrecipeError."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        values = {"file": RUN_FILE, "folder": str(out), "error": str(error)}
        raise SftrecipeError("run-damaged", "run-first", **values) from error


def latest_run(folder: Path) -> Path:
    """The run of a `runs` folder that ended last. Raises UsageError when there is none."""
    runs = sorted(folder.glob(f"*/{RUN_FILE}"), key=lambda file: file.stat().st_mtime)
    if not runs:
        raise UsageError("no-run", "run-first", folder=str(folder))
    return runs[-1].parent
