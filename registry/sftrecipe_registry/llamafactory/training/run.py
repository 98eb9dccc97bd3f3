"""A training by LLaMA-Factory: begun, gone on with or found done, judged by what it leaves."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sftrecipe.plugin import KEPT, MIXED, KeptModel, PluginRefused, Texts, Trained, Training
from sftrecipe_registry.llamafactory.training.config_file import read_settings
from sftrecipe_registry.llamafactory.training.log import Curve, curves, mean_loss
from sftrecipe_registry.llamafactory.training.merge import merge, merged_model
from sftrecipe_registry.llamafactory.training.output import (
    RESULTS,
    Output,
    data_fingerprint,
    model_stands,
    step_of,
    training_fingerprint,
)
from sftrecipe_registry.llamafactory.training.permissions import is_hub_model
from sftrecipe_registry.llamafactory.training.process import (
    end_leftovers,
    failure,
    run_command,
)
from sftrecipe_registry.llamafactory.training.variables import HUB_TOKENS
from sftrecipe_registry.llamafactory.training.watch import TrainingWatch
from sftrecipe_registry.llamafactory.v1.output import V1Output

texts = Texts(__package__)

_OUTPUT = "trainer_output"
"""Where it writes when it is told no folder."""


async def train(
    training: Training,
    config: Path,
    v1_stage: str | None = None,
    program: tuple[str, ...] = (),
) -> Trained:
    """Train as the configuration says, merge an adapter, and tell what came of it.

    `v1_stage`: the stage of one of v1's configurations, which do not say it; `program`: what the
    environment's python starts instead of LLaMA-Factory.

    Raises PluginRefused with LLaMA-Factory's own last words.
    """
    await asyncio.to_thread(end_leftovers, training.folder, training.say)
    output = await asyncio.to_thread(_output, training, config, v1_stage)
    output.check_place()
    if output.finished:
        output.kept.rename_note(output.name)
        training.say(texts("stands-already", folder=output.folder))
    else:
        await _train(training, config, output, program)
    model = output.folder
    if output.adapter:
        model = merged_model(output)
        if not model_stands(model):
            await merge(training, config, output)
    losses, held_out_losses = curves(output.folder)
    results = output.results()
    if output.resumed and losses:
        # Its own sums the steps after the checkpoint and divides by all: far too low.
        results["train_loss"] = mean_loss(losses)
    held_out_losses = _with_end(held_out_losses, losses, results)
    return Trained(model, results, losses, held_out_losses, output.seconds)


def _output(training: Training, config: Path, v1_stage: str | None) -> Output:
    """What the configuration trains. Raises PluginRefused where `output_dir` leads out of the run's
    folder by a link, or has the place of all models."""
    settings = read_settings(config)
    run = config.parent
    name = str(PurePosixPath(str(settings.get("output_dir") or _OUTPUT)))
    for folder in (run / name, run / KEPT):
        if not folder.resolve().is_relative_to(run.resolve()):
            raise PluginRefused(texts("leads-out", folder=folder))
    if PurePosixPath(name).parts[:1] in ((), (KEPT,)):
        raise PluginRefused(texts("place-of-models", folder=name))
    settings |= {} if v1_stage is None else {"stage": v1_stage}
    kept = KeptModel(run, training_fingerprint(settings, run))
    made_by = {**training.made_by, "data": data_fingerprint(settings, run)}
    version = Output if v1_stage is None else V1Output
    return version(kept, name, settings, made_by)


async def _train(
    training: Training, config: Path, output: Output, program: tuple[str, ...]
) -> None:
    log = config.with_suffix(".log")
    checkpoint = output.prepare()
    since, began = output.noted(), time.monotonic()
    if checkpoint is None:
        log.unlink(missing_ok=True)
        training.say(texts("starting", log=log))
        _tell_withheld(training, output.settings)
    else:
        training.say(texts("goes-on", checkpoint=checkpoint.name, log=log))
    done = None if checkpoint is None else step_of(checkpoint)
    watch = TrainingWatch(training, output.folder, log, done)
    try:
        status = await run_command(
            _arguments(output, config, checkpoint),
            config.parent,
            log,
            settings=output.settings,
            allowed=training.allowed,
            look=watch.look,
            program=program,
        )
        _judge(output, since, status, log)
        await asyncio.to_thread(_check_unchanged, output)
    except BaseException:
        output.stopped(time.monotonic() - began)
        raise
    if status != "exit status 0":
        training.say(texts("ended-late", status=status, log=log))
    output.finish(time.monotonic() - began)


def _arguments(output: Output, config: Path, checkpoint: Path | None) -> list[str]:
    """The command's, which say where this training lies and where it goes on."""
    run = config.parent
    found = [output.command, config.name, f"output_dir={output.folder.relative_to(run)}"]
    if checkpoint is not None:
        found.append(f"resume_from_checkpoint={checkpoint.relative_to(run)}")
        # Else it deletes the log of the steps that are done.
        return [*found, *(["overwrite_output_dir=false"] if output.overwrites else [])]
    asked = output.settings.get("resume_from_checkpoint")
    if isinstance(asked, str) and (run / asked).is_dir():
        # By the link it would be another training's as soon as that points elsewhere.
        where = Path(os.path.relpath((run / asked).resolve(), run.resolve()))
        return [*found, f"resume_from_checkpoint={where}"]
    return found


def _check_unchanged(output: Output) -> None:
    """Raises PluginRefused where another process changed the data or the base in the meantime."""
    if training_fingerprint(output.settings, output.kept.run) != output.kept.key:
        aside = output.kept.set_aside(MIXED)
        raise PluginRefused(texts("changed-meanwhile", folder=aside))


def _tell_withheld(training: Training, settings: Mapping[str, Any]) -> None:
    """A hub's token that stays here, where a model is downloaded that may need it."""
    if not is_hub_model(str(settings.get("model_name_or_path") or settings.get("model"))):
        return
    for name in HUB_TOKENS:
        if name in os.environ and name not in training.allowed:
            training.say(texts("token-stays", name=name))


def _judge(output: Output, since: int, status: str, log: Path) -> None:
    """Whether it trained: by its files, since it ends well having done nothing, too."""
    if not output.trained(since):
        if status == "exit status 0":
            did = texts("trained-nothing", results=RESULTS, folder=output.folder)
            raise failure(did, log)
        if status == "SIGKILL":  # its last words are about something else
            raise PluginRefused(texts("killed", log=log))
        raise failure(texts("failed", status=status), log)
    evaluated = any(name.startswith("eval_") for name in output.results())
    if output.settings.get("do_eval") and not evaluated and status != "exit status 0":
        raise failure(texts("failed-measuring", status=status), log)


def _with_end(curve: Curve, losses: Curve, results: Mapping[str, float]) -> Curve:
    """With the last figure, which it does not write into its log."""
    end = results.get("eval_loss")
    step = max((step for step, _ in losses), default=0)
    if end is None or (curve and curve[-1][0] >= step):
        return curve
    return (*curve, (step, float(end)))
