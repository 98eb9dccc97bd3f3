"""All that the report tells of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sftrecipe.report.pages.run.facts.context_trees import ContextTree, context_trees
from sftrecipe.report.pages.run.facts.funnel import StepRows, funnel, not_reached
from sftrecipe.report.pages.run.facts.judgings import Judging, judgings
from sftrecipe.report.pages.run.facts.lengths import Lengths, lengths
from sftrecipe.report.pages.run.facts.lineages import Lineage, lineages
from sftrecipe.report.pages.run.facts.mixture import MixedStream, mixture
from sftrecipe.report.pages.run.facts.near_duplicates import NearDuplicates, near_duplicates
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun, open_run
from sftrecipe.report.pages.run.facts.plan_graph import PlanGraph, plan_graph
from sftrecipe.report.pages.run.facts.providers import AskedProvider, providers
from sftrecipe.report.pages.run.facts.rejects import Losses, rejects
from sftrecipe.report.pages.run.facts.scores import Score, scores
from sftrecipe.report.pages.run.facts.scripts import ScriptShare, scripts
from sftrecipe.report.pages.run.facts.spending import StepSpending, spending, total_spending
from sftrecipe.report.pages.run.facts.tags import Tag, tags
from sftrecipe.report.pages.run.facts.topic_map import TopicMap, topic_map
from sftrecipe.report.pages.run.facts.trainings import TrainedModel, trainings
from sftrecipe.run.run_record import data_set_json
from sftrecipe.store.project import Project


@dataclass(frozen=True)
class RunHead:
    """What the run says of itself."""

    name: str
    description: str
    status: str
    """`done`, `paused`, `failed` or `stopped`."""
    error: str
    goes_on: bool
    """Whether the same command, unchanged, goes on where the run ended."""
    told: Mapping[str, Mapping[str, str | None]]
    """The error and what to do about it, by language."""
    recipe: str
    profile: str
    language: str
    started: str
    seconds: float | None
    rows: int
    """Rows of the data sets, or of the furthest streams."""
    sampled: int
    """Rows that the sections on rows look at."""
    rejected: int
    gone: list[str]
    """Steps whose rows were deleted since."""
    not_reached: list[str]
    data_sets: list[dict[str, Any]]
    versions: dict[str, str]


@dataclass(frozen=True)
class RunFacts:
    """The report, section by section; a section without anything to tell is empty."""

    head: RunHead
    graph: PlanGraph
    funnel: list[StepRows]
    rejects: list[Losses]
    scores: list[Score]
    lengths: Lengths | None
    scripts: list[ScriptShare]
    topics: TopicMap | None
    near_duplicates: NearDuplicates | None
    tags: list[Tag]
    mixture: list[MixedStream]
    spending: list[StepSpending]
    total: dict[str, Any]
    trainings: list[TrainedModel]
    judgings: list[Judging]
    trees: list[ContextTree]
    samples: list[Lineage]
    providers: list[AskedProvider]


def run_facts(out: Path, project: Project) -> RunFacts:
    """The facts of the run in a folder.

    Raises UsageError where there is no run, SftrecipeError when the ledger cannot be read.
    """
    opened = open_run(out, project)
    return RunFacts(
        head=_head(opened),
        graph=plan_graph(opened),
        funnel=funnel(opened),
        rejects=rejects(opened),
        scores=scores(opened),
        lengths=lengths(opened),
        scripts=scripts(opened),
        topics=topic_map(opened),
        near_duplicates=near_duplicates(opened),
        tags=tags(opened),
        mixture=mixture(opened),
        spending=spending(opened),
        total=total_spending(opened),
        trainings=trainings(opened),
        judgings=judgings(opened),
        trees=context_trees(opened),
        samples=lineages(opened),
        providers=providers(opened),
    )


def _head(opened: OpenedRun) -> RunHead:
    run, document = opened.run, opened.document
    written = sum(each.rows for each in run.data_sets)
    rejected = run.rejected or sum(step.facts.rejected for step in opened.steps)
    return RunHead(
        name=run.name or opened.out.name,
        description=document.get("description") or "",
        status=run.status,
        error=run.end.error if run.end else "",
        goes_on=bool(run.end and run.end.goes_on),
        told=run.end.told if run.end else {},
        recipe=run.recipe,
        profile=run.profile or "",
        language=document.get("language") or "",
        started=run.started,
        seconds=run.seconds,
        rows=written if run.data_sets else opened.result_rows,
        sampled=len(opened.sample),
        rejected=rejected,
        gone=opened.gone,
        not_reached=not_reached(opened),
        data_sets=[data_set_json(each) for each in run.data_sets],
        versions=dict(run.versions),
    )
