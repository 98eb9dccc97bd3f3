"""Steps, warm-up, batches and intervals of a training, against the rows that it has."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from sftrecipe.plugin import Finding, Text, Texts
from sftrecipe_registry.llamafactory.arguments.schedule import (
    Schedule,
    interval,
    number,
    schedule,
)
from sftrecipe_registry.llamafactory.preflight.arguments import Settings

texts = Texts(__package__)

_CHECK = "steps"
_BATCHES = ("per_device_train_batch_size", "gradient_accumulation_steps")
_WARMED = ("linear", "cosine", "polynomial", "inverse_sqrt", "constant_with_warmup", "warmup")
"""Parts of the schedules' names that warm up; `constant` alone does not."""
_HIGHEST = 0.1
"""A learning rate from which Adam's steps, each as large as the rate, leave nothing of a model."""
_HIGH = 0.01
_USUAL = {"full": "1.0e-5", "freeze": "1.0e-5"}
_USUAL_ADAPTER = "1.0e-4"


def rate_findings(settings: Settings) -> Iterator[Finding]:
    """A learning rate that no model survives."""
    rate = settings.get("learning_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < _HIGH:
        return
    usual = _USUAL.get(str(settings.get("finetuning_type", "lora")), _USUAL_ADAPTER)
    optimizer = str(settings.get("optim", "adamw_torch"))
    ruins = rate >= _HIGHEST and ("adam" in optimizer or "lion" in optimizer)
    text = texts("rate-ruins" if ruins else "rate-high", rate=rate, optimizer=optimizer)
    yield Finding(
        "fault" if ruins else "warning", "arguments", text, _write("learning_rate", usual)
    )


def sample_findings(settings: Settings, rows: Mapping[str, int]) -> Iterator[Finding]:
    """Rows that `max_samples` leaves out; `rows` by data set."""
    most = settings.get("max_samples")
    if isinstance(most, bool) or not isinstance(most, int):
        return
    for name, count in rows.items():
        if 0 < most < count:
            text = texts("samples-left-out", name=name, most=most, rows=count)
            advice = texts("samples-all", rows=max(rows.values()))
            yield Finding("warning", "rows", text, advice)


def step_findings(settings: Settings, examples: int, processes: int) -> Iterator[Finding]:
    """What becomes of so many examples: too few for a step, or steps that end too soon."""
    plan = schedule(settings, examples, processes)
    if not plan.steps:
        yield _nothing(settings, plan)
        return
    if plan.examples < plan.rows_a_step and (plan.steps == 1 or _is_asked(settings)):
        yield _few_rows(settings, plan, processes)
    most = int(number(settings, "max_steps"))
    if 0 < most < plan.steps_an_epoch:
        seen = min(most * plan.rows_a_step, plan.examples)
        epochs = f"{plan.epochs:.2g}"
        text = texts("ends-early", steps=most, seen=seen, rows=plan.examples, epochs=epochs)
        yield _warning(text, _write("max_steps", plan.steps_an_epoch))
    yield from end_findings(settings, plan)


def end_findings(settings: Settings, plan: Schedule) -> Iterator[Finding]:
    """A warm-up and intervals that go beyond the last step."""
    yield from _warm_up(settings, plan)
    yield from _intervals(settings, plan)


def _nothing(settings: Settings, plan: Schedule) -> Finding:
    if int(number(settings, "max_steps")) == 0:
        text, advice = texts("no-steps-asked"), texts("leave-out", name="max_steps")
    else:
        text = texts("fills-no-batch", rows=plan.examples, batch=plan.rows_a_step)
        advice = _write("dataloader_drop_last", "false")
    return Finding("fault", _CHECK, text, advice)


def _is_asked(settings: Settings) -> bool:
    """Whether the size of a step is the recipe's, not a default."""
    return any(settings.get(name) is not None for name in _BATCHES)


def _few_rows(settings: Settings, plan: Schedule, processes: int) -> Finding:
    """A step that would take more rows than there are."""
    batch = max(int(number(settings, "per_device_train_batch_size")), 1)
    slug = "one-step-takes-all" if plan.steps_an_epoch == plan.steps == 1 else "step-takes-all"
    text = texts(slug, a_step=plan.rows_a_step, rows=plan.examples, steps=plan.steps)
    fits = min(batch, max(plan.examples // (4 * processes), 1))
    accumulation = max(plan.examples // (4 * fits * processes), 1)
    advice = texts("write-batches", batch=fits, accumulation=accumulation)
    return Finding("warning", _CHECK, text, advice)


def _warm_up(settings: Settings, plan: Schedule) -> Iterator[Finding]:
    kind = str(settings.get("lr_scheduler_type", "linear"))
    if not any(part in kind for part in _WARMED):
        return
    if number(settings, "warmup_ratio") >= 1:
        ratio = settings["warmup_ratio"]
        text = texts("ratio-is-steps", value=ratio, steps=plan.warmup_steps)
        yield Finding("fault", _CHECK, text, _write("warmup_ratio", 0.1))
        return
    if plan.warmup_steps < plan.steps:
        return
    name = "warmup_steps" if settings.get("warmup_ratio") is None else "warmup_ratio"
    given = number(settings, name)
    text = texts("warms-up-to-the-end", name=name, value=settings[name], steps=plan.steps)
    # A share that a single step rounds up is of a trial, not of a mistake.
    state = "fault" if given >= 1 or plan.steps > 1 else "warning"
    tenth = plan.steps // 10
    yield Finding(state, _CHECK, text, _write(name, tenth if name == "warmup_steps" else 0.1))  # type: ignore[arg-type]


def _intervals(settings: Settings, plan: Schedule) -> Iterator[Finding]:
    """Saving, evaluating and noting that the recipe asks for and that come only at the end."""
    for name, strategy, usual, slug in (
        ("save_steps", "save_strategy", "steps", "save-beyond-the-end"),
        ("eval_steps", "eval_strategy", "no", "eval-beyond-the-end"),
        ("logging_steps", "logging_strategy", "steps", "logging-beyond-the-end"),
    ):
        if settings.get(name) is None or str(settings.get(strategy, usual)) != "steps":
            continue
        if interval(settings, name, plan.steps) > plan.steps:
            text = texts(slug, value=settings[name], steps=plan.steps)
            yield _warning(text, _write(name, max(math.ceil(plan.steps / 10), 1)))


def _warning(text: Text, advice: Text) -> Finding:
    return Finding("warning", _CHECK, text, advice)


def _write(name: str, value: object) -> Text:
    return texts("write-this", name=name, value=value)
