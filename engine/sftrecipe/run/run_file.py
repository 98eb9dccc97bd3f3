"""What a run leaves in its output folder beside the data sets: rejects and `run.json`."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.plan.steps import Plan
from sftrecipe.plugin.regular_files import UnusualFile, open_regular
from sftrecipe.run.output_folder import REJECTS_FILE, REPORT_FILE, RUN_FILE
from sftrecipe.run.run_state import Done, RunState
from sftrecipe.run.steps.evaluate_step import gate_results
from sftrecipe.run.steps.step_files import (
    REJECTS,
    advance_streams,
    judged_streams,
    told_step,
)
from sftrecipe.store.artifacts import StepStore
from sftrecipe.store.rows import read_rejects
from sftrecipe.store.streams import Stream

__all__ = ["REJECTS_FILE", "REPORT_FILE", "RUN_FILE"]


_OF_A_STEP = frozenset({"id", "key", "parts", "section"})


def read_run(out: Path) -> dict[str, Any]:
    """What the last run into the folder said of itself; empty where there was none."""
    try:
        with open_regular(out / RUN_FILE) as file:
            found = orjson.loads(file.read())
    except (FileNotFoundError, NotADirectoryError, UnusualFile, orjson.JSONDecodeError):
        return {}
    return found if isinstance(found, dict) and _is_whole(found) else {}


def _is_whole(run: Mapping[str, Any]) -> bool:
    """Whether it has what every run says of its steps and data sets; a damaged one has not."""
    steps, before = run.get("steps", []), run.get("outdated", [])
    lists = isinstance(steps, list) and isinstance(before, list)
    return (
        lists
        and all(isinstance(each, dict) and each.keys() >= _OF_A_STEP for each in steps)
        and all(isinstance(each, dict) and each.keys() >= {"name", "files"} for each in before)
    )


def parts_before(run: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The parts of every step's key at that run, by step."""
    return {step["id"]: step["parts"] for step in run.get("steps", ())}


def write_run(execution: RunState, status: str, facts: Mapping[str, Any]) -> None:
    """Write `run.json`: status, the steps with their keys and counts, data sets, versions."""
    recipe = execution.plan.recipe
    content = {
        "name": recipe.name,
        "status": status,
        "recipe": str(recipe.path),
        "profile": recipe.profile,
        "document": recipe.document,
        **facts,
        "planned": [step.id for step in execution.plan.steps],
        "steps": [_step(done) for done in execution.done],
        "data_sets": [
            {
                "name": each.name,
                "files": each.files,
                "rows": each.rows,
                "role": each.role,
                "kind": each.kind,
            }
            | ({"needs": each.needs} if each.needs else {})
            for each in execution.data_sets
        ],
        "versions": versions(execution.plan),
    }
    with execution.folder.create(RUN_FILE) as file:
        file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _step(done: Done) -> dict[str, Any]:
    facts, step = done.facts, done.step
    return {
        "id": step.id,
        "section": step.block.section,
        "use": step.block.use,
        "key": step.key,
        "cached": done.cached,
        "reads": step.reads,
        "after": step.after,
        "makes": step.makes,
        "thins": step.thins,
        "made": facts.made,
        "kept": facts.kept,
        "rejected": facts.rejected,
        "set_aside": facts.set_aside,
        "reasons": facts.reasons,
        "counts": facts.counts,
        "notes": facts.notes,
        **({"gates": gate_results(step.block, facts)} if step.block.gates else {}),
        "calls": facts.calls,
        "seconds": round(facts.seconds, 3),
        "parts": step.parts,
    }


def versions(plan: Plan) -> dict[str, str]:
    """Versions of Python, the engine and the packages whose plugins took part."""
    packages = {"sftrecipe"} | {
        type(step.block.plugin).__module__.partition(".")[0] for step in plan.steps
    }
    found = {"python": platform.python_version()}
    for package in sorted(packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def write_rejects(execution: RunState, *, whole: bool = True) -> int:
    """Write `rejects.jsonl`: every row that was lost, with step, reason and value; their number.

    Of a run that did not end (not `whole`), what the file says of steps that it did not come to
    stays.
    """
    count = 0
    with execution.folder.create(REJECTS_FILE) as file:
        for entry in rejects(execution):
            file.write(orjson.dumps(entry) + b"\n")
            count += 1
        if not whole:
            for line in _of_other_steps(execution):
                file.write(line)
                count += 1
    return count


def _of_other_steps(execution: RunState) -> Iterator[bytes]:
    """What `rejects.jsonl` says so far of steps that this run did not come to."""
    reached = {done.step.id for done in execution.done}
    if execution.broken:
        reached.add(execution.broken.step.id)
    try:
        file = (execution.out / REJECTS_FILE).open("rb")
    except FileNotFoundError:
        return
    with file:
        for line in file:
            if line.endswith(b"\n") and _step_of(line) not in reached:
                yield line


def _step_of(line: bytes) -> str | None:
    try:
        return str(orjson.loads(line)["step"])
    except (orjson.JSONDecodeError, TypeError, LookupError):
        return None


def rejects(execution: RunState) -> Iterator[dict[str, Any]]:
    """Every row that was lost, in the order of the steps."""
    streams: dict[str, Stream] = {}
    for done in execution.done:
        step, folder = done.step, execution.store.path(done.step.key)
        if done.facts.rejected and (folder / REJECTS).exists():
            for record, reason, value in read_rejects(folder / REJECTS):
                yield _entry(step.id, reason, value, None, record._asdict())
        for _, judged in judged_streams(streams, step, folder):
            for row in judged.dropped():
                yield _entry(step.id, row.reason, row.value, row.detail, row.record._asdict())
        advance_streams(streams, step, folder)
    if execution.broken:
        for record, reason, value in read_rejects(execution.broken.rejects):
            yield _entry(execution.broken.step.id, reason, value, None, record._asdict())


def _entry(
    step: str, reason: str, value: float | str | None, detail: str | None, row: dict[str, Any]
) -> dict[str, Any]:
    return {"step": step, "reason": reason, "value": value, "detail": detail, "row": row}


def run_streams(run: Mapping[str, Any], store: StepStore) -> dict[str, Stream]:
    """The streams of a run, by name, after all of its filters."""
    streams: dict[str, Stream] = {}
    for step in run.get("steps", ()):
        folder = store.path(step["key"])
        advance_streams(streams, told_step(step, streams, folder), folder)
    return streams


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
