"""All that the report tells of a run."""

from __future__ import annotations

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
    told: dict[str, dict[str, str | None]]
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
        _head(opened),
        plan_graph(opened),
        funnel(opened),
        rejects(opened),
        scores(opened),
        lengths(opened),
        scripts(opened),
        topic_map(opened),
        near_duplicates(opened),
        tags(opened),
        mixture(opened),
        spending(opened),
        total_spending(opened),
        trainings(opened),
        judgings(opened),
        context_trees(opened),
        lineages(opened),
        providers(opened),
    )


def _head(opened: OpenedRun) -> RunHead:
    run, document = opened.run, opened.document
    data_sets = run.get("data_sets") or []
    written = sum(each["rows"] for each in data_sets)
    return RunHead(
        run.get("name") or opened.out.name,
        document.get("description") or "",
        run.get("status") or "",
        run.get("error") or "",
        bool(run.get("goes_on")),
        run.get("told") or {},
        run.get("recipe") or "",
        run.get("profile") or "",
        document.get("language") or "",
        run.get("started") or "",
        run.get("seconds"),
        written if data_sets else opened.result_rows,
        len(opened.sample),
        run.get("rejected") or sum(step["rejected"] for step in opened.steps),
        opened.gone,
        not_reached(opened),
        data_sets,
        dict(run.get("versions") or {}),
    )
