"""Trainings: everything checked first, then one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import Word, error_text, in_user_language, message, own_text
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.option_types import trained_block
from sftrecipe.plugin.permission import Places
from sftrecipe.plugin.plugin_kinds import DataSet, PluginRefused
from sftrecipe.plugin.trainer import Finding, Trained, Trainer, Training
from sftrecipe.recipe.checks.permissions import lacking_permissions, permission_values
from sftrecipe.recipe.checks.trained_models import trained_models
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.run import catalogue
from sftrecipe.run.contexts import block_context
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.run_state import RunState
from sftrecipe.run.steps.current_model import made_by, point_at, training_alone
from sftrecipe.run.steps.evaluate_step import check_judges
from sftrecipe.run.steps.export_step import file_state
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.file_hashes import FileHashes
from sftrecipe.store.step_facts import ModelFacts, StepFacts

_CONTENT = "trained.json"


@dataclass(frozen=True)
class TrainingTarget:
    """Where a recipe's trainings take place, and what they read."""

    recipe: CheckedRecipe
    folder: OutputFolder
    data: Mapping[str, Sequence[DataSet]]
    """What every export wrote, by its id."""
    models: Mapping[str, Path] = field(default_factory=dict)
    """Folders of the models that are trained already, by train block."""
    awaited: Mapping[str, Sequence[DataSet]] = field(default_factory=dict)
    """What exports will write that have not yet, by id."""


class TrainStep(StepRunner):
    """Trains a model, which lies in the output folder."""

    def __init__(self, run: RunState) -> None:
        super().__init__(run)
        self._all_checked = False

    def rows_to_see(self, step: Step) -> None:
        """It reads files."""

    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Train; what is said of the model lies in the step's folder."""
        self._check_all(step)
        run, block = self.run, step.block
        trainer, target = trainer_of(block), training_target(run)
        training = replace(
            _training(target, block, target.models),
            made_by=made_by(run.plan, step),
            tell=lambda state: run.progress.trained(step.id, state),
            say=lambda text: run.progress.line(in_user_language(text)),
        )
        with training_alone(run.out):
            trained = await trainer.train(training, _configured(target, block, training))
        model = _model_facts(trained, run.out)
        (draft / _CONTENT).write_bytes(orjson.dumps(model.as_json()))
        return StepFacts(model=model)

    def _check_all(self, step: Step) -> None:
        """Check all the recipe's trainings before its first one spends anything."""
        if self._all_checked:
            return
        self._all_checked = True
        run = self.run
        check_judges(run.plan.steps, run.streams)
        path = run.out / catalogue.NAME
        catalogue.register(path, run.data_sets, run.out, written=run.folder.written())
        found = list(findings(training_target(run)))
        for block, finding in found:
            run.progress.line(finding_text(block, finding))
        if faults := sum(finding.state == "fault" for _, finding in found):
            raise SftrecipeError(
                "training-refused",
                "see-findings",
                step=step.id,
                count=faults,
                path=run.plan.recipe.in_commands,
            )

    @staticmethod
    def stands(facts: StepFacts, out: Path, hashes: FileHashes) -> bool:
        """Whether the model is still there as it was."""
        if facts.model is None:
            return False
        folder, files = out / facts.model.folder, facts.model.files
        return all(file_state(folder / name) == state for name, state in files.items())

    @staticmethod
    def providers_after(
        recipe: CheckedRecipe, step: Step, facts: StepFacts, out: Path
    ) -> Mapping[str, Block]:
        """Those that name its model, the model's folder in the name's place."""
        last, found, model = recipe.train[-1].id, {}, str(model_of(facts, out))
        for name, block in recipe.providers.items():
            named = trained_models(block.plugin)
            update = {option: model for option, id in named if (id or last) == step.id}
            if update:
                found[name] = replace(block, plugin=block.plugin.model_copy(update=update))
        return found

    def took_place(self, step: Step, facts: StepFacts) -> None:
        """Put the trained model where the recipe's providers name it."""
        run = self.run
        run.models[step.id] = model_of(facts, run.out)
        point_at(model_of(facts, run.out), run.out, run.progress.line)
        after = self.providers_after(run.plan.recipe, step, facts, run.out)
        for name, block in after.items():
            run.session.provide(name, block)


def training_target(run: RunState) -> TrainingTarget:
    """Where a run's trainings take place, and what they read, as far as it is there."""
    return TrainingTarget(run.plan.recipe, run.folder, run.exported, run.models)


def configure(target: TrainingTarget) -> None:
    """Write the trainers' configurations, ready to be run by hand. Raises SftrecipeError."""
    for block, training in trainings(target):
        _configured(target, block, training)


def findings(target: TrainingTarget) -> Iterator[tuple[str, Finding]]:
    """What every training would fail on, or suffer from, by train block.

    Writes the configurations of those whose data is made. A training that goes on from one before
    it is checked as if it started from that one's own base, which has the same tokenizer.
    Raises SftrecipeError where a training cannot even be configured.
    """
    for block, training in trainings(target):
        if training.awaits:
            _check_permissions(target, block, training)
        else:
            _configured(target, block, training)
        try:
            for finding in trainer_of(block).preflight(training):
                yield block.id, finding
        except PluginRefused as refusal:
            raise _refused(block, refusal) from refusal
        if training.awaits:
            yield block.id, _left_to_check(target, training)


def _left_to_check(target: TrainingTarget, training: Training) -> Finding:
    """What was not checked since the data is not made."""
    names = ", ".join(each.name for each in training.awaits)
    text = own_text("data-awaited", names=names)
    advice = own_text("data-awaited-advice", path=target.recipe.in_commands)
    return Finding("warning", "data", text, advice)


def _configured(target: TrainingTarget, block: Block, training: Training) -> Path:
    """The training's configuration, written. Raises SftrecipeError where there can be none."""
    _check_permissions(target, block, training)
    for name in trainer_of(block).writes(block.id):
        target.folder.claim(name)
    try:
        return trainer_of(block).write_config(training)
    except PluginRefused as refusal:
        raise _refused(block, refusal) from refusal


def _refused(block: Block, refusal: PluginRefused) -> SftrecipeError:
    return SftrecipeError("step-refused", step=block.id, error=error_text(refusal))


def _check_permissions(target: TrainingTarget, block: Block, training: Training) -> None:
    """Raises SftrecipeError where the user's word is lacking.

    Again: what lies in the output folder, links among it, was not known at `validate`.
    """
    recipe = target.recipe
    folder, of_presets = recipe.path.absolute().parent, block.files.of_presets
    places = Places(folder, recipe.readable, training.folder, of_presets)
    for lacking in lacking_permissions(block.plugin, places, recipe.allowed):
        raise SftrecipeError("needs-permission", "allow", **permission_values(lacking))


def trainings(target: TrainingTarget) -> Iterator[tuple[Block, Training]]:
    """Every training as it would be, before any of them has taken place."""
    bases = dict(target.models)
    for block in target.recipe.train:
        bases.setdefault(block.id, _base(trainer_of(block), bases))
        yield block, _training(target, block, bases)


def finding_text(block: str, finding: Finding) -> str:
    """A finding as the user reads it, with its examples and what to do."""
    state = Word(f"state-{finding.state}")
    told = {"block": block, "state": state, "check": finding.check, "message": finding.message}
    lines = [message("finding", told)]
    lines += [f"    {in_user_language(example)}" for example in finding.examples]
    if finding.advice:
        lines.append(message("finding-advice", {"advice": finding.advice}))
    return "\n".join(lines)


def model_of(facts: StepFacts, out: Path) -> Path:
    """The folder of the model that a finished training left."""
    assert facts.model is not None  # noqa: S101 - every training leaves one
    return out / facts.model.folder


def trainer_of(block: Block) -> Trainer:
    """The block's trainer."""
    assert isinstance(block.plugin, Trainer)  # noqa: S101 - the section's blocks are
    return block.plugin


def _base(trainer: Trainer, bases: dict[str, Path]) -> Path:
    """The model that a training starts from, a trained one's own base in its place."""
    block = trained_block(trainer.goes_on_from() or "")
    if block is not None:
        return bases[block or next(reversed(bases))]
    return Path(str((trainer.answers("base") or {}).get("model", "")))


def _training(
    target: TrainingTarget,
    block: Block,
    models: Mapping[str, Path],
) -> Training:
    return Training(
        data=[data_set for export in block.inputs for data_set in target.data[export]],
        awaits=[each for export in block.inputs for each in target.awaited.get(export, ())],
        folder=target.folder.folder,
        context=block_context(target.recipe, block),
        create=target.folder.create,
        id=block.id,
        models=models,
        allowed=target.recipe.allowed,
    )


def _model_facts(trained: Trained, out: Path) -> ModelFacts:
    files = sorted(path for path in trained.model.iterdir() if path.is_file())
    return ModelFacts(
        folder=str(trained.model.resolve().relative_to(out.resolve())),
        metrics=dict(trained.metrics),
        losses=trained.losses,
        held_out_losses=trained.held_out_losses,
        files={path.name: file_state(path) for path in files},
        seconds=trained.seconds,
    )
