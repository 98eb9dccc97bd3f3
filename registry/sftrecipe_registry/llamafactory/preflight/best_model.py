"""The best model's metric, early stopping and their evaluations, before the first of them fails.

Follows transformers 5.6 (training_args.py, trainer.py `_determine_best_metric`) and the metrics of
LLaMA-Factory 0.9.5 (train/STAGE/metric.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from math import ceil

from sftrecipe.plugin import Finding, Text, Texts
from sftrecipe_registry.llamafactory.preflight.arguments import Settings
from sftrecipe_registry.llamafactory.training.output import listed

texts = Texts(__package__)

_ALWAYS = ("runtime", "samples_per_second", "steps_per_second")
_GENERATED = ("rouge-1", "rouge-2", "rouge-l", "bleu-4")


def best_model_findings(settings: Settings) -> Iterator[Finding]:
    """What the evaluation on the way does not give, and strategies that do not go together."""
    evaluates, saves = _strategy(settings, "eval_strategy"), _strategy(settings, "save_strategy")
    best = settings.get("load_best_model_at_end") is True
    if best and saves not in {"best", evaluates}:
        text = texts("strategies-differ", evaluates=evaluates, saves=saves)
        yield _fault(text, _write("eval_strategy", "steps" if saves == "no" else saves))
    elif best and evaluates == saves == "steps":
        yield from _multiples(settings)
    if settings.get("early_stopping_steps") is not None:
        yield from _early(settings, evaluates, best)
    if evaluates == "no":
        if saves == "best":
            yield _fault(texts("best-without-evaluation"), _write("eval_strategy", "steps"))
        if "plateau" in str(settings.get("lr_scheduler_type")):
            yield _fault(texts("plateau-without-evaluation"), _write("eval_strategy", "steps"))
        return
    yield from _metric(settings)


def given_metrics(settings: Settings) -> list[str]:
    """What an evaluation of the stage gives, without `eval_`; the one to choose stands first."""
    stage = settings.get("stage", "sft")
    if stage == "sft" and settings.get("predict_with_generate") is True:
        found = [*reversed(_GENERATED)]
    elif stage == "rm" or (stage == "sft" and settings.get("compute_accuracy") is True):
        found = ["loss", "accuracy"]
    else:
        found = ["loss"]
    found += _ALWAYS
    if settings.get("eval_on_each_dataset") is not True:
        return found
    names = listed(settings.get("eval_dataset"))
    return [f"{name}_{metric}" for metric in found for name in names]


def _strategy(settings: Settings, name: str) -> str:
    """`no` is false to a reader of YAML 1.1."""
    value = settings.get(name)
    if value is None:
        return "no" if name == "eval_strategy" else "steps"
    return "no" if value is False else str(value)


def _multiples(settings: Settings) -> Iterator[Finding]:
    """The best model is one that was saved: what is saved has to be evaluated."""
    saved = settings.get("save_steps", 500)
    tested = settings.get("eval_steps") or settings.get("logging_steps", 500)
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in (saved, tested)):
        return
    if (saved < 1) != (tested < 1):
        text = texts("shares-and-steps", saved=saved, tested=tested)
        yield _fault(text, _write("eval_steps", saved))
    elif tested and round(saved * 1_000_000) % round(tested * 1_000_000):
        text = texts("saves-untested", saved=saved, tested=tested)
        yield _fault(text, _write("save_steps", ceil(saved / tested) * tested))


def _early(settings: Settings, evaluates: str, best: bool) -> Iterator[Finding]:
    if evaluates == "no":
        yield _fault(texts("early-without-evaluation"), _write("eval_strategy", "steps"))
    elif not best and settings.get("metric_for_best_model") is None:
        text = texts("early-without-metric")
        yield _fault(text, _write("load_best_model_at_end", "true"))


def _metric(settings: Settings) -> Iterator[Finding]:
    named = settings.get("metric_for_best_model")
    asked = settings.get("load_best_model_at_end") is True
    if named is None and not asked and _strategy(settings, "save_strategy") == "best":
        text = texts("best-without-metric")
        yield _fault(text, _write("metric_for_best_model", f"eval_{given_metrics(settings)[0]}"))
        return
    if named is None and not _wants_metric(settings):
        return
    name = str("loss" if named is None else named).removeprefix("eval_")
    given = given_metrics(settings)
    if name in given:
        return
    near = next(iter(get_close_matches(name, given, n=1)), given[0])
    slug = "metric-not-given" if named is not None else "loss-not-given"
    text = texts(slug, name=name, given=", ".join(f"eval_{each}" for each in given))
    if name == "accuracy" and settings.get("stage", "sft") == "sft":
        yield _fault(text, _write("compute_accuracy", "true"))
    else:
        yield _fault(text, _write("metric_for_best_model", f"eval_{near}"))


def _wants_metric(settings: Settings) -> bool:
    plateau = "plateau" in str(settings.get("lr_scheduler_type"))
    return plateau or settings.get("load_best_model_at_end") is True


def _fault(text: Text, advice: Text) -> Finding:
    return Finding("fault", "evaluation", text, advice)


def _write(name: str, value: object) -> Text:
    return texts("write-this", name=name, value=value)
