"""Which steps stand: done, unchanged, and with what they left still there."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.plan.steps import Plan
from sftrecipe.plan.stream_contents import Standing, StreamContents
from sftrecipe.run.run_file import run_before
from sftrecipe.run.steps.section_steps import runner_of


def standing_steps(plan: Plan, out: Path) -> dict[str, Standing]:
    """The standing of every step but the exports, by the step's id; a training whose model is no
    longer in the output folder does not stand."""
    store, before = plan.store, run_before(out).parts
    contents = StreamContents(store)
    found = {}
    for step in plan.steps:
        runner = runner_of(step)
        if runner.always_written:
            continue
        standing = contents.standing(step, before.get(step.id))
        contents.advance(step)
        if standing.cached and not runner.stands(store.facts(step.key), out, store.hashes):
            standing = Standing(False)
        found[step.id] = standing
    return found
