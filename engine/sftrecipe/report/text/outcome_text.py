"""What a run came to, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.calls.usage import Usage
from sftrecipe.messages import Word, in_user_language, message, own_text, word
from sftrecipe.plan.estimate import UNKNOWN, total
from sftrecipe.plugin.plugin_kinds import UNNAMED, Exporter
from sftrecipe.plugin.provider import ASKED_AGAIN
from sftrecipe.report.text.gate_lines import passed_gates, spoiled_limits, unmeasured_limits
from sftrecipe.report.text.next_commands import command_arguments
from sftrecipe.report.text.text_format import (
    amounts_text,
    few_rows,
    main_figures,
    reasons_text,
)
from sftrecipe.run.gate_results import gate_results, limit_results
from sftrecipe.run.output_folder import REJECTS_FILE
from sftrecipe.run.run_plan import Outcome
from sftrecipe.run.run_record import EstimateAndFact
from sftrecipe.run.run_state import Done
from sftrecipe.run.steps.current_model import shown_model
from sftrecipe.run.steps.export_step import noted_data_sets
from sftrecipe.run.steps.train_step import model_of
from sftrecipe.store.project import RUN_FILE
from sftrecipe.store.step_facts import MixFacts, StreamShare

_REASONS = 5
"""Reasons of rejects that are explained."""


_OTHER = "other_"


def outcome_text(outcome: Outcome) -> str:
    """The data sets, what was lost, what was asked, how long it took."""
    lines = []
    for data_set in outcome.run.data_sets:
        files = ", ".join(str(outcome.out / file) for file in data_set.files)
        rows = message("amount-rows", {"count": data_set.rows})
        lines.append(f"{data_set.name}: {rows}  {files}")
        for name, value in data_set.needs.items():
            if value is True:
                lines.append(message("outcome-needs", {"data_set": data_set.name, "name": name}))
    lines += exported_lines(outcome.run.done)
    lines += [*_not_held_out_lines(outcome), *_training_lines(outcome), *_judge_lines(outcome)]
    rejects = {"count": outcome.rejected, "path": outcome.out / REJECTS_FILE}
    lines += [message("outcome-rejected", rejects), *_reason_lines(outcome)]
    if failed := outcome.run.failed:
        told = {"count": failed, "recipe": command_arguments(outcome)}
        lines.append(message("outcome-failed", told))
    lines += _untagged_lines(outcome)
    calls = {"calls": _calls_text(outcome.usage), "seconds": f"{outcome.seconds:.1f}"}
    lines.append(message("outcome-calls", calls))
    if outcome.fresh and _is_foreseen(outcome.estimate) and outcome.usage.asked:
        lines.append(_estimate_text(outcome.estimate))
    if not outcome.fresh:
        lines.append(message("outcome-nothing", {}))
    return "\n".join(lines)


def _reason_lines(outcome: Outcome) -> Iterator[str]:
    """What the commonest reasons mean, and what to change."""
    found = [
        (count, done.step, reason)
        for done in outcome.run.done
        if done.facts.rejected
        for reason, count in done.facts.reasons.items()
    ]
    for count, step, reason in sorted(found, key=lambda each: -each[0])[:_REASONS]:
        explained = step.reason(reason)
        if explained.meaning:
            values = {"step": step.id, "count": count, "reason": explained.name}
            yield message("reason-line", {**values, "meaning": explained.line})


def _untagged_lines(outcome: Outcome) -> Iterator[str]:
    """Rows that stay though their filter could not judge them, and whether to ask again."""
    for done in outcome.run.done:
        step, facts = done.step, done.facts
        if facts.untagged:
            failed = not ASKED_AGAIN.isdisjoint(facts.untagged)
            values = {
                "step": step.id,
                "count": sum(facts.untagged.values()),
                "reasons": reasons_text(step, facts.untagged),
                "recipe": command_arguments(outcome),
            }
            yield message("outcome-untagged-failed" if failed else "outcome-untagged", values)


def outcome_json(outcome: Outcome) -> str:
    """The same facts as JSON."""
    untagged = {
        done.step.id: done.facts.untagged for done in outcome.run.done if done.facts.untagged
    }
    facts: dict[str, Any] = {
        "out": str(outcome.out),
        "data_sets": [
            {
                "name": each.name,
                "rows": each.rows,
                "files": list(each.files),
                "role": each.role,
                "kind": each.kind,
            }
            for each in outcome.run.data_sets
        ],
        "mix": {
            done.step.id: done.facts.export.shares
            for done in outcome.run.done
            if done.facts.export and done.facts.export.shares
        },
        "trained": [
            {"id": done.step.id, "model": str(model), "metrics": done.facts.metrics}
            for done, model in _trained_models(outcome)
        ],
        "judged": _judged(outcome),
        "rejected": outcome.rejected,
        "failed": outcome.run.failed,
        **({"untagged": untagged} if untagged else {}),
        "usage": outcome.usage,
        "estimate": outcome.estimate,
        "seconds": round(outcome.seconds, 3),
        "fresh": outcome.fresh,
        "run": str(outcome.out / RUN_FILE),
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _judged(outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "id": done.step.id,
            "metrics": done.facts.metrics,
            "gates": gate_results(done.step.block, done.facts),
            "limits": limit_results(done.step.block, done.facts),
        }
        for done in _done_steps(outcome, "evaluate")
    ]


def _done_steps(outcome: Outcome, name: str) -> list[Done]:
    return [done for done in outcome.run.done if done.step.block.section == name]


def _not_held_out_lines(outcome: Outcome) -> Iterator[str]:
    """Exports whose share of held-out rows came to none, as it may of few rows or large groups."""
    for done in _done_steps(outcome, "export"):
        plugin = done.step.block.plugin
        roles = {each.role for each in noted_data_sets(done.facts)}
        if isinstance(plugin, Exporter) and plugin.holds_out() and "holdout" not in roles:
            grouped = "holdout_too_large" in done.facts.told
            slug = "outcome-groups-not-held-out" if grouped else "outcome-not-held-out"
            yield message(slug, {"step": done.step.id, "rows": done.facts.kept})


def _trained_models(outcome: Outcome) -> Iterator[tuple[Done, Path]]:
    """Every training, with the folder of its model."""
    for done in _done_steps(outcome, "train"):
        yield done, shown_model(model_of(done.facts, outcome.out), outcome.out)


def _training_lines(outcome: Outcome) -> Iterator[str]:
    """Where the trained models are."""
    for done, model in _trained_models(outcome):
        told = word("comma").join(figure.text for figure in main_figures(done.facts.metrics))
        yield f"{done.step.id}: {told}  {model}" if told else f"{done.step.id}: {model}"


def _judge_lines(outcome: Outcome) -> Iterator[str]:
    """What the judges found, and the gates that it passed; a run that misses one fails."""
    for done in _done_steps(outcome, "evaluate"):
        told = word("comma").join(figure.text for figure in main_figures(done.facts.metrics))
        yield f"{done.step.id}: {told}"
        few = few_rows(done.facts.made, done.facts.metrics)
        if few is not None:
            yield f"  {message('outcome-few', {'rows': few})}"
        judged = done.step.block, done.facts
        limits = limit_results(*judged)
        gates = *passed_gates(gate_results(*judged)), *spoiled_limits(limits)
        for line in (*gates, *unmeasured_limits(limits)):
            yield f"  {in_user_language(line)}"


def _calls_text(usage: Usage) -> str:
    parts = [message("outcome-asked", {"asked": usage.asked, "cached": usage.cached})]
    if usage.failed:
        parts.append(message("outcome-calls-failed", {"count": usage.failed}))
    if usage.asked:
        values = {"read": usage.input_tokens, "written": usage.output_tokens}
        parts.append(message("outcome-tokens", values))
    if usage.estimated:
        parts.append(message("outcome-estimated", {"count": usage.estimated}))
    parts.extend(_thought_texts(usage))
    if usage.currency:
        parts.append(f"{usage.cost:.4f} {usage.currency}")
    if usage.unpriced:
        parts.append(message("outcome-unpriced", {"count": usage.unpriced}))
    return word("comma").join(parts)


def _thought_texts(usage: Usage) -> Iterator[str]:
    """How many replies had a thought, and what became of it."""
    if usage.thoughts:
        share = usage.thoughts / max(1, usage.asked + usage.cached)
        yield message("outcome-thoughts", {"count": usage.thoughts, "share": f"{share:.0%}"})
    if usage.thought_tokens:
        yield message("outcome-thought-tokens", {"count": usage.thought_tokens})
    if usage.thoughts_cut:
        yield message("outcome-thoughts-cut", {"count": usage.thoughts_cut})


def _is_foreseen(steps: Sequence[EstimateAndFact]) -> bool:
    """Whether there was an estimate, and no step that asked of which nothing was known."""
    return bool(steps) and not any(step.fact and step.calls == UNKNOWN for step in steps)


def _estimate_text(steps: Sequence[EstimateAndFact]) -> str:
    """What was foreseen of the run, and what came."""
    used = [usage for step in steps for usage in step.fact.values()]
    calls = sum(each.asked + each.failed for each in used)
    tokens = sum(each.input_tokens + each.output_tokens for each in used)
    estimate = amounts_text(
        total([step.asked for step in steps]),
        total([step.tokens for step in steps]),
        _cost_sums([step.cost for step in steps]),
    )
    paid = [{each.currency: (each.cost,) * 2} for each in used if each.currency]
    fact = amounts_text((calls, calls), (tokens, tokens), _cost_sums(paid))
    return message("outcome-estimate", {"estimate": estimate, "fact": fact})


def _cost_sums(
    costs: Sequence[Mapping[str, tuple[float, float | None]]],
) -> dict[str, tuple[float, float | None]]:
    """Costs of several steps together, by currency."""
    sums: dict[str, tuple[float, float | None]] = {}
    for each in costs:
        for currency, (low, high) in each.items():
            least, most = sums.get(currency, (0.0, 0.0))
            top = None if high is None or most is None else most + high
            sums[currency] = (least + low, top)
    return sums


def exported_lines(done: Sequence[Done]) -> Iterator[str]:
    """Of every export, one line on what its rows teach, and one on its part of the mix; before them
    the columns that sources left out."""
    mix = next((each.facts.mix for each in done if each.facts.mix), None)
    for each in done:
        if each.step.block.section == "sources":
            yield from _unnamed_column_lines(each)
        elif each.step.block.section == "export":
            yield from _kind_lines(each)
            if each.facts.export and each.facts.export.shares:
                yield _mix_line(each.step.id, each.facts.export.shares, mix)


def _unnamed_column_lines(done: Done) -> Iterator[str]:
    """Columns that a source left out, as its catalogue entry does not name them."""
    for name, count in sorted(done.facts.counts.items()):
        if name.startswith(UNNAMED):
            values = {"source": done.step.id, "column": name.removeprefix(UNNAMED), "count": count}
            yield message("outcome-unnamed", values)


def _kind_lines(done: Done) -> Iterator[str]:
    """What the rows teach, and the rows that were left out since they teach something else."""
    step, counts = done.step.id, done.facts.counts
    kinds = {each.kind: None for each in done.facts.data_sets}
    for kind in filter(None, kinds):
        values = {"step": step, "kind": Word(f"kind-{kind}")}
        good, bad = counts.get("judged_good", 0), counts.get("judged_bad", 0)
        slug = "outcome-judged" if kind == "judgements" else "outcome-kind"
        yield message(slug, {**values, "good": good, "bad": bad})
    others = {
        name.removeprefix(_OTHER): count
        for name, count in counts.items()
        if name.startswith(_OTHER)
    }
    if others:
        told = tuple(
            own_text("outcome-other", count=count, kind=Word(f"kind-{kind}"))
            for kind, count in others.items()
        )
        yield message("outcome-other-kinds", {"step": step, "others": told})
    if unjudging := counts.get("unjudging_labels"):
        yield message("outcome-unjudging", {"step": step, "count": unjudging})


def _mix_line(step: str, shares: Mapping[str, StreamShare], mix: MixFacts | None) -> str:
    """The shares of an export, beside those that the mixer was asked for, of rows or of tokens."""
    asked, parts = mix.streams if mix else {}, []
    for name, each in shares.items():
        noted, slug = asked.get(name), "outcome-share"
        asked_share = noted.asked_share if noted else None
        token_share = noted.token_share if noted else None
        if mix and token_share is not None:
            slug = "outcome-estimated-share" if mix.tokens_estimated else "outcome-tokens-share"
        values = {
            "stream": name,
            "rows": each.rows,
            "share": f"{100 * each.share:.1f}",
            "asked": f"{100 * (each.drawn_share if asked_share is None else asked_share):.1f}",
            "tokens": f"{100 * (token_share or 0):.1f}",
        }
        parts.append(own_text(slug, **values))
    return message("outcome-mix", {"step": step, "shares": tuple(parts)})
