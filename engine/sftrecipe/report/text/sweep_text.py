"""What a sweep would do, and what it found: as tables, in sentences, as plain facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sftrecipe.messages import message, word
from sftrecipe.plan.estimate import costs, likely_facts, likely_tokens, total
from sftrecipe.recipe.recipe import Sweep
from sftrecipe.report.text.plan_text import all_asks, asked_cost, likely_calls, unpriced
from sftrecipe.report.text.table import table
from sftrecipe.report.text.text_format import likely_text
from sftrecipe.report.words.page_words import Words, sweep_words
from sftrecipe.sweep.best_value import Optimum, Scale
from sftrecipe.sweep.more_trainings import MoreTrainings
from sftrecipe.sweep.sweep_facts import SweepFacts, VariantFacts
from sftrecipe.sweep.sweep_forecast import SweepPart

_PLAN_HEAD = ("variant", "steps-to-do", "trainings", "calls", "tokens", "cost")
_FEW_ROWS = 30
"""On fewer, intervals of differences are wide."""
_RESULT_HEAD = ("variant", "figure", "interval", "is-best", "minus-best", "note")


def sweep_text(facts: SweepFacts, words: Words | None = None) -> str:
    """The table, and what it says, in the user's language unless words are given."""
    words = words or sweep_words(None)
    compared = table(sweep_head(words), sweep_cells(facts, words))
    return "\n".join([sweep_title(facts, words), compared, *sweep_sentences(facts, words)])


def sweep_head(words: Words) -> list[str]:
    """The names of the table's columns."""
    return [words[name] for name in _RESULT_HEAD]


def sweep_cells(facts: SweepFacts, words: Words) -> list[list[str]]:
    """A line a variant."""
    return [_variant_cells(each, facts, words) for each in facts.variants]


def sweep_title(facts: SweepFacts, words: Words) -> str:
    """What is compared."""
    text = words["title" if facts.rows else "title-unpaired"]
    return text.format(metric=facts.metric, goal=words[facts.goal], rows=facts.rows)


def sweep_sentences(facts: SweepFacts, words: Words) -> list[str]:
    """What is suggested, and how sure that is."""
    said = [_verdict_sentence(facts, words)]
    if facts.optimum and facts.scale:
        said.append(_optimum_sentence(facts.optimum, facts.scale, words))
    if facts.rows:
        text = words["one-training" if facts.seeds == 1 else "trainings"]
        said.append(text.format(count=facts.seeds))
        if facts.more_trainings:
            said.append(_trainings_sentence(facts.more_trainings, words))
        if facts.rows < _FEW_ROWS:
            said.append(words["few-rows"].format(rows=facts.rows))
    if facts.lost:
        said.append(words["lost"].format(lost=facts.lost))
    return said


def variant_label(variant: VariantFacts, words: Words) -> str:
    """The variant's values as a person reads them; of one path alone without it."""
    if len(variant.values) == 1:
        return _value_text(next(iter(variant.values.values())), words)
    return ", ".join(
        f"{path.rpartition('.')[2]} {_value_text(value, words)}"
        for path, value in variant.values.items()
    )


def short_number(value: float) -> str:
    """A number in four digits."""
    return f"{value:.4g}"


def _variant_cells(variant: VariantFacts, facts: SweepFacts, words: Words) -> list[str]:
    star = " *" if variant.name == facts.best else ""
    return [
        variant_label(variant, words) + star,
        "" if variant.figure is None else short_number(variant.figure),
        _interval_text(variant.low, variant.high),
        "" if variant.best_probability is None else _share_text(variant.best_probability),
        "" if variant.name == facts.best else _difference_text(variant, words),
        _note_text(variant, words),
    ]


def _interval_text(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    return f"{short_number(low)} – {short_number(high)}"


def _share_text(share: float) -> str:
    """A share of the draws in percent, never said to be none or all where it is not."""
    if 0 < share < 0.01:
        return "<1 %"
    return ">99 %" if 0.99 < share < 1 else f"{share * 100:.0f} %"


def _difference_text(variant: VariantFacts, words: Words) -> str:
    if variant.behind is None or variant.behind_low is None or variant.behind_high is None:
        return ""
    return words["minus"].format(
        value=f"{variant.behind:+.3g}",
        low=f"{variant.behind_low:+.3g}",
        high=f"{variant.behind_high:+.3g}",
    )


def _note_text(variant: VariantFacts, words: Words) -> str:
    problems = dict.fromkeys(each.problem for each in variant.trainings if each.problem)
    return "; ".join(words["failed"].format(problem=problem) for problem in problems)


def _verdict_sentence(facts: SweepFacts, words: Words) -> str:
    best = next((each for each in facts.variants if each.name == facts.best), None)
    if best is None:
        return words[facts.verdict]
    others = (
        each
        for each in facts.variants
        if each.behind is not None and each is not best and each.name not in facts.told_apart
    )
    # Trained once each, a verdict says itself that it holds against the rows alone.
    once = f"{facts.verdict}-once"
    text = words[once if facts.noise == "rows" and once in words else facts.verdict]
    return text.format(
        best=variant_label(best, words),
        share=_share_text(best.best_probability or 0),
        others="; ".join(variant_label(each, words) for each in others),
    )


def _trainings_sentence(more: MoreTrainings, words: Words) -> str:
    text = words["more-trainings" if more.suffices else "too-noisy"]
    return text.format(count=more.trainings, difference=f"{more.difference:.2g}")


def _optimum_sentence(found: Optimum, scale: Scale, words: Words) -> str:
    ends = {"lowest": min(scale.values.values()), "highest": max(scale.values.values())}
    at = ends.get(found.where, found.at.value)
    mix = ", ".join(f"{key} {short_number(share)}" for key, share in scale.mixed(at).items())
    text = words["end" if found.where in ends else found.where]
    return text.format(
        at=f"{scale.label} {short_number(at)}",
        low=short_number(found.at.low),
        high=short_number(found.at.high),
        mix=words["mix"].format(mix=mix) if mix else "",
    )


def _value_text(value: Any, words: Words) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_value_text(item, words)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_value_text(item, words) for item in value)
    if value is None:
        return words["left-out"]
    return f"{value:g}" if isinstance(value, float) else str(value)


def sweep_plan_text(parts: Sequence[SweepPart], sweep: Sweep) -> str:
    """A line for what variants share, one a variant for what it adds, and the sum."""
    trainings = sum(len(variant.trainings) for variant in sweep.variants)
    title = message("plan-sweep", {"variants": len(sweep.variants), "trainings": trainings})
    whole = SweepPart(None, [each for part in parts for each in part.estimates])
    lines = [
        *(_part_cells(part.variant or word("shared"), part) for part in parts),
        _part_cells(word("total"), whole),
    ]
    return "\n".join([title, table([word(name) for name in _PLAN_HEAD], lines)])


def sweep_plan_facts(parts: Sequence[SweepPart]) -> list[dict[str, Any]]:
    """The same as plain data; variant None: what several share."""
    return [
        {
            "variant": part.variant,
            "steps": [each.step.id for each in part.estimates],
            "trainings": part.trainings,
            "calls": total([each.calls for each in part.estimates]),
            "tokens": total([each.tokens for each in part.estimates]),
            "cost": costs(all_asks(part.estimates)),
            "likely": likely_facts(all_asks(part.estimates)),
            "unpriced": unpriced(all_asks(part.estimates)),
        }
        for part in parts
    ]


def _part_cells(name: str, part: SweepPart) -> list[str]:
    asks, calls = all_asks(part.estimates), likely_calls(part.estimates)
    return [
        name,
        str(len(part.estimates)),
        str(part.trainings),
        likely_text(calls, total([each.calls for each in part.estimates])),
        likely_text(likely_tokens(asks), total([each.tokens for each in part.estimates])),
        asked_cost(asks),
    ]
