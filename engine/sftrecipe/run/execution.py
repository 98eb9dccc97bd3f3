"""Executing a plan: step by step, each from the store where it is done already."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from sftrecipe.calls.session import Session
from sftrecipe.errors import RecipeError, SftrecipeError, limit_reached
from sftrecipe.messages import message
from sftrecipe.plan.steps import Plan, Step
from sftrecipe.plan.stream_contents import StreamContents
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.context import Context, Rows
from sftrecipe.plugin.judge import Judge
from sftrecipe.plugin.plugin_kinds import (
    DataSet,
    Exporter,
    Filter,
    Generator,
    Mixer,
    PluginRefused,
    RowGenerator,
    Source,
)
from sftrecipe.plugin.prompts.prompt import PromptFailed
from sftrecipe.plugin.provider import ASKED_AGAIN, CALL_FAILED, Provider
from sftrecipe.plugin.row_views import joined_rows
from sftrecipe.plugin.trainer import Trainer, TrainingState
from sftrecipe.run.contexts import block_context, providers_by_model
from sftrecipe.run.nothing_left import nothing_exported, nothing_left
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.progress import Progress
from sftrecipe.run.steps import catalogue
from sftrecipe.run.steps.evaluate_step import check_judges, judge
from sftrecipe.run.steps.export_shares import drawn_rows, mix_missed
from sftrecipe.run.steps.export_step import ExportTarget, export, files_stand, noted_data_sets
from sftrecipe.run.steps.filter_step import thin
from sftrecipe.run.steps.generate_step import make_by_generator
from sftrecipe.run.steps.mix_step import draw
from sftrecipe.run.steps.source_step import make_from_source
from sftrecipe.run.steps.step_files import REJECTS, TellRows, advance_streams
from sftrecipe.run.steps.train_step import (
    TrainingTarget,
    finding_text,
    findings,
    model_of,
    model_stands,
    train,
    with_model,
)
from sftrecipe.store.artifacts import StepStore, empty, files_in
from sftrecipe.store.atomic_files import UNWRITABLE, explained
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.store.streams import Stream

_CONCURRENCY = 16
_READINGS = 3
"""How often a step is executed whose files are touched meanwhile."""
_OF_FILES = frozenset({"missing-file", "unreadable-file", "step-refused", "step-failed"})
"""Errors that a file which changes can cause."""


@dataclass
class Done:
    """What became of a step."""

    step: Step
    facts: StepFacts
    cached: bool


class Broken(NamedTuple):
    """The step that a run ended at, and the rows that it had lost until then."""

    step: Step
    rejects: IO[bytes]


@dataclass
class Execution:
    """A run in progress: what it works with, and what is done so far."""

    plan: Plan
    store: StepStore
    out: Path
    session: Session
    progress: Progress
    concurrency: int | None = None
    """Calls in flight, where the provider does not limit them."""
    streams: dict[str, Stream] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    broken: Broken | None = None
    """The step that failed."""
    exported: dict[str, list[DataSet]] = field(default_factory=dict)
    """What every export wrote, by its id."""
    models: dict[str, Path] = field(default_factory=dict)
    """Folders of the models that were trained, by train block."""
    retry_failed: bool = False
    """Whether steps that lost rows to calls that failed for good are executed again."""
    take_over: bool = False
    """Whether files of the output folder are replaced that no run of the recipe wrote."""

    def __post_init__(self) -> None:
        self.folder = OutputFolder(self.out, self.plan.recipe, take_over=self.take_over)
        self._contents = StreamContents(self.store)
        self._trainings_checked = False

    @property
    def data_sets(self) -> list[DataSet]:
        """What the exports wrote."""
        return [data_set for data_sets in self.exported.values() for data_set in data_sets]

    @property
    def training(self) -> TrainingTarget:
        """What the trainings read, as far as it is there."""
        create, claim = self.folder.create, self.folder.claim
        return TrainingTarget(self.plan.recipe, self.out, self.exported, create, claim, self.models)

    @property
    def failed(self) -> int:
        """Rows that calls lost which failed for good."""
        return sum(done.facts.reasons.get(CALL_FAILED, 0) for done in self.done)

    async def run(self) -> None:
        """Execute every step.

        Raises SftrecipeError; what was done until then is in `done`.
        """
        for step in self.plan.steps:
            await self._step(step)

    async def _step(self, step: Step) -> None:
        cached = self._is_done(step)
        if not cached:
            with explained(self.store.path(step.key), UNWRITABLE):
                await self._make(step)
        facts = self.store.facts(step.key)
        advance_streams(self.streams, step, self.store.path(step.key))
        self._contents.advance(step)
        if step.block.section == "export":
            self.exported[step.id] = noted_data_sets(facts)
        elif step.block.section == "train":
            self._provide(step, model_of(facts, self.out))
        self.done.append(Done(step, facts, cached))
        self.progress.finished(step.id, facts, cached)
        if step.block.section == "export":
            self._check_exported(step, facts)

    def _check_exported(self, step: Step, facts: StepFacts) -> None:
        """Raises SftrecipeError where nothing was exported, or another mix than was drawn."""
        if lost := nothing_exported(self, step, facts) or mix_missed(self, step, facts):
            raise lost

    def _provide(self, step: Step, model: Path) -> None:
        """Put the trained model where the recipe's providers name it."""
        self.models[step.id] = model
        for name, block in with_model(self.plan.recipe, step.id, model).items():
            self.session.provide(name, block)

    async def _make(self, step: Step) -> None:
        """Execute a step into the store."""
        if damage := self.store.damage(step.key):
            values = {"step": step.id, "damage": damage}
            self.progress.line(message("step-damaged", values))
        self.progress.started(step.id, self._total(step))
        began = time.perf_counter()
        with self.store.writing(step.key, again=self.store.has(step.key)) as draft:
            try:
                facts = await self._steadily(step, draft)
            except SftrecipeError:
                if (draft / REJECTS).exists():  # open, it is there until it is written down
                    self.broken = Broken(step, (draft / REJECTS).open("rb"))
                raise
            files = files_in(draft)
            facts = replace(
                facts,
                seconds=time.perf_counter() - began,
                calls=self._usage(step.id),
                content=self.store.content(files, without=REJECTS),
                files=files,
                read=self._contents.read_by(step),
            )
            _check_account(step, facts)
            self._leave_rejects(step, draft, facts)
            self.store.finish(draft, facts)

    async def _steadily(self, step: Step, draft: Path) -> StepFacts:
        """Execute on files that hold what the step's key was made with, from beginning to end.

        One that was touched and holds the same now may have held something else in between: the
        step is executed again, its replies out of the ledger. Raises SftrecipeError where it holds
        something else.
        """
        files, block = self.plan.files, step.block
        for _ in range(_READINGS):
            before = files.states(block)
            self._check_files(step)
            try:
                facts = await self._explained(step, draft)
            except SftrecipeError as error:
                if error.problem.slug in _OF_FILES:
                    self._check_files(step)  # rather than what came of the change
                raise
            self._check_files(step)
            if isinstance(block.plugin, Trainer) or files.states(block) == before:
                return facts
            empty(draft)
        raise SftrecipeError("step-files-touched", "file-changed", step=step.id)

    def _check_files(self, step: Step) -> None:
        """Raises SftrecipeError where a file holds something else than the run was planned with."""
        if name := self.plan.files.altered(step.block):
            raise SftrecipeError("file-changed", "file-changed", path=name, step=step.id)

    def _leave_rejects(self, step: Step, draft: Path, facts: StepFacts) -> None:
        """Keep the rejects of a result that came out the same: servers word a failure anew."""
        if not self.store.has(step.key):
            return
        before, rejects = self.store.facts(step.key), self.store.path(step.key) / REJECTS
        same = (before.content, before.reasons) == (facts.content, facts.reasons)
        if same and rejects.exists():
            shutil.copyfile(rejects, draft / REJECTS)

    def _total(self, step: Step) -> int | None:
        """How many rows the step will look at; None where it looks at them in its own way."""
        plugin = step.block.plugin
        if isinstance(plugin, (Source, Trainer)) or (
            isinstance(plugin, Generator) and not isinstance(plugin, RowGenerator)
        ):
            return None
        return sum(len(self.streams[name]) for name in step.reads)

    def _is_done(self, step: Step) -> bool:
        if not self._contents.stands(step):
            return False
        facts = self.store.facts(step.key)
        if self.retry_failed and not ASKED_AGAIN.isdisjoint(facts.reasons):
            return False
        if step.block.section == "train":
            return model_stands(facts, self.out)
        return step.block.section != "export" or files_stand(facts, self.out, self.store.hashes)

    async def _explained(self, step: Step, draft: Path) -> StepFacts:
        """Execute, with a plugin's own exceptions told as the step's failure."""
        try:
            return await self._execute(step, draft)
        except (SftrecipeError, RecipeError, asyncio.CancelledError):
            raise
        except (PluginRefused, PromptFailed) as refusal:
            if lost := nothing_left(self, step):
                raise lost from refusal
            raise SftrecipeError("step-refused", step=step.id, error=str(refusal)) from refusal
        except Exception as error:
            if isinstance(error, OSError) and error.errno in UNWRITABLE:
                raise
            if limit := limit_reached(error):
                raise limit from error
            raise SftrecipeError(
                "step-failed",
                "step-debug",
                step=step.id,
                use=step.block.use,
                error=f"{type(error).__name__}: {error}",
            ) from error

    async def _execute(self, step: Step, draft: Path) -> StepFacts:
        plugin, block = step.block.plugin, step.block
        if isinstance(plugin, Trainer):
            self._check_trainings(step)
            return await train(self.training, block, draft, self._trains(step), self.progress.line)
        if isinstance(plugin, Judge):
            return await judge(plugin, joined_rows(self._read(step)), self._context(step), draft)
        return await self._make_data(step, draft)

    async def _make_data(self, step: Step, draft: Path) -> StepFacts:
        plugin, advance = step.block.plugin, self._advance(step)
        ctx, reads = self._context(step), self._read(step)
        match plugin:
            case Source():
                return await make_from_source(plugin, ctx, draft, advance)
            case Generator():
                return await make_by_generator(plugin, joined_rows(reads), ctx, draft, advance)
            case Filter():
                return await thin(plugin, reads, ctx, draft, advance)
            case Mixer():
                named = dict(zip(step.reads, reads, strict=True))
                return draw(step, named, ctx, draft, advance)
            case Exporter():
                name, hashes = self.plan.recipe.name, self.store.hashes
                target = ExportTarget(name, self.folder, hashes, ctx, drawn_rows(self, step))
                return export(plugin, joined_rows(reads), target, draft, advance)
        raise TypeError(f"a {plugin.kind} cannot be a step")

    def _read(self, step: Step) -> list[Stream]:
        return [self.streams[name] for name in step.reads]

    def _check_trainings(self, step: Step) -> None:
        """Check all the recipe's trainings before its first one spends anything."""
        if self._trainings_checked:
            return
        self._trainings_checked = True
        check_judges(self.plan.steps, self.streams)
        catalogue.register(
            self.out / catalogue.NAME, self.data_sets, self.out, written=self.folder.written()
        )
        found = list(findings(self.training))
        for block, finding in found:
            self.progress.line(finding_text(block, finding))
        faults = sum(finding.state == "fault" for _, finding in found)
        if faults:
            path = self.plan.recipe.in_commands
            raise SftrecipeError(
                "training-refused", "see-findings", step=step.id, count=faults, path=path
            )

    def _trains(self, step: Step) -> Callable[[TrainingState], None]:
        return lambda state: self.progress.trained(step.id, state)

    def _context(self, step: Step) -> Context:
        recipe, block = self.plan.recipe, step.block
        providers = providers_by_model(block)
        models = {
            name: self.session.model(provider, step.id) for name, provider in providers.items()
        }
        asked = [self.plan.recipe.providers[name].plugin for name in providers.values()]
        concurrency = max((self._in_flight(each) for each in asked), default=_CONCURRENCY)
        return replace(
            block_context(recipe, block),
            models=models,
            streams=cast("Mapping[str, Rows]", {name: self.streams[name] for name in step.named}),
            concurrency=concurrency,
        )

    def _in_flight(self, provider: Plugin) -> int:
        if not isinstance(provider, Provider):
            return _CONCURRENCY
        return provider.limits.concurrency or self.concurrency or provider.default_concurrency

    def _usage(self, step: str) -> dict[str, Any]:
        """What the step asked so far, by provider."""
        asked = self.session.usage.items()
        return {provider: asdict(usage) for (name, provider), usage in asked if name == step}

    def _advance(self, step: Step) -> TellRows:
        return lambda kept, rejected: self.progress.advanced(step.id, kept, rejected)


def _check_account(step: Step, facts: StepFacts) -> None:
    """No row vanishes: what came in is kept or rejected."""
    if facts.made != facts.kept + facts.rejected:
        raise SftrecipeError(
            "row-account",
            step=step.id,
            made=facts.made,
            kept=facts.kept,
            rejected=facts.rejected,
        )
