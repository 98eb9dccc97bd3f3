"""What a run came to, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from sftrecipe.messages import Word, message, own_text
from sftrecipe.plan.estimate import UNKNOWN, total
from sftrecipe.plugin.plugin_kinds import UNNAMED, Exporter
from sftrecipe.report.text.next_commands import command_arguments
from sftrecipe.report.text.text_format import amounts_text, few_rows, gate_text, main_figures
from sftrecipe.run.run_file import REJECTS_FILE, RUN_FILE
from sftrecipe.run.run_plan import Outcome
from sftrecipe.run.run_state import Done
from sftrecipe.run.steps.evaluate_step import gate_results
from sftrecipe.run.steps.export_shares import SHARES
from sftrecipe.run.steps.export_step import noted_data_sets
from sftrecipe.run.steps.train_step import model_of

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
    calls = {"calls": _calls_text(outcome.usage), "seconds": f"{outcome.seconds:.1f}"}
    lines.append(message("outcome-calls", calls))
    if outcome.fresh and _is_foreseen(outcome.estimate) and outcome.usage.get("asked"):
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


def outcome_json(outcome: Outcome) -> str:
    """The same facts as JSON."""
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
            done.step.id: done.facts.notes[SHARES]
            for done in _done_steps(outcome, "export")
            if SHARES in done.facts.notes
        },
        "trained": [
            {"id": done.step.id, "model": str(model), "metrics": done.facts.notes["metrics"]}
            for done, model in _trained_models(outcome)
        ],
        "judged": [
            {
                "id": done.step.id,
                "metrics": done.facts.notes["metrics"],
                "gates": gate_results(done.step.block, done.facts),
            }
            for done in _done_steps(outcome, "evaluate")
        ],
        "rejected": outcome.rejected,
        "failed": outcome.run.failed,
        "usage": outcome.usage,
        "estimate": outcome.estimate,
        "seconds": round(outcome.seconds, 3),
        "fresh": outcome.fresh,
        "run": str(outcome.out / RUN_FILE),
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _done_steps(outcome: Outcome, name: str) -> list[Done]:
    return [done for done in outcome.run.done if done.step.block.section == name]


def _not_held_out_lines(outcome: Outcome) -> Iterator[str]:
    """Exports whose share of held-out rows came to none, as it may of few rows."""
    for done in _done_steps(outcome, "export"):
        plugin = done.step.block.plugin
        roles = {each.role for each in noted_data_sets(done.facts)}
        if isinstance(plugin, Exporter) and plugin.holds_out() and "holdout" not in roles:
            yield message("outcome-not-held-out", {"step": done.step.id, "rows": done.facts.kept})


def _trained_models(outcome: Outcome) -> Iterator[tuple[Done, Path]]:
    """Every training, with the folder of its model."""
    for done in _done_steps(outcome, "train"):
        yield done, model_of(done.facts, outcome.out)


def _training_lines(outcome: Outcome) -> Iterator[str]:
    """Where the trained models are."""
    for done, model in _trained_models(outcome):
        told = ", ".join(figure.text for figure in main_figures(done.facts.notes["metrics"]))
        yield f"{done.step.id}: {told}  {model}" if told else f"{done.step.id}: {model}"


def _judge_lines(outcome: Outcome) -> Iterator[str]:
    """What the judges found, and the gates that it passed; a run that misses one fails."""
    for done in _done_steps(outcome, "evaluate"):
        told = ", ".join(figure.text for figure in main_figures(done.facts.notes["metrics"]))
        yield f"{done.step.id}: {told}"
        few = few_rows(done.facts.made, done.facts.notes["metrics"])
        if few is not None:
            yield f"  {message('outcome-few', {'rows': few})}"
        for gate in gate_results(done.step.block, done.facts):
            yield f"  {gate_text(gate)}"


def _calls_text(usage: Mapping[str, Any]) -> str:
    asked, cached = usage.get("asked", 0), usage.get("cached", 0)
    parts = [message("outcome-asked", {"asked": asked, "cached": cached})]
    if usage.get("failed"):
        parts.append(message("outcome-calls-failed", {"count": usage["failed"]}))
    if asked:
        values = {"read": usage.get("input_tokens", 0), "written": usage.get("output_tokens", 0)}
        parts.append(message("outcome-tokens", values))
    if usage.get("estimated"):
        parts.append(message("outcome-estimated", {"count": usage["estimated"]}))
    parts.extend(_thought_texts(usage))
    if usage.get("currency"):
        parts.append(f"{usage['cost']:.4f} {usage['currency']}")
    if usage.get("unpriced"):
        parts.append(message("outcome-unpriced", {"count": usage["unpriced"]}))
    return ", ".join(parts)


def _thought_texts(usage: Mapping[str, Any]) -> Iterator[str]:
    """How many replies had a thought, and what became of it."""
    if usage.get("thoughts"):
        share = usage["thoughts"] / max(1, usage.get("asked", 0) + usage.get("cached", 0))
        values = {"count": usage["thoughts"], "share": f"{share:.0%}"}
        yield message("outcome-thoughts", values)
    for name, slug in (
        ("thought_tokens", "outcome-thought-tokens"),
        ("thoughts_cut", "outcome-thoughts-cut"),
    ):
        if usage.get(name):
            yield message(slug, {"count": usage[name]})


def _is_foreseen(steps: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there was an estimate, and no step that asked of which nothing was known."""
    return bool(steps) and not any(
        step["fact"] and tuple(step["estimate"]["calls"]) == UNKNOWN for step in steps
    )


def _estimate_text(steps: Sequence[Mapping[str, Any]]) -> str:
    """What was foreseen of the run, and what came."""
    foreseen = [step["estimate"] for step in steps]
    used = [usage for step in steps for usage in step["fact"].values()]
    calls, tokens = (
        sum(each[one] + each[other] for each in used)
        for one, other in (("asked", "failed"), ("input_tokens", "output_tokens"))
    )
    estimate = amounts_text(
        total([each["asked"] for each in foreseen]),
        total([each["tokens"] for each in foreseen]),
        _cost_sums([each["cost"] for each in foreseen]),
    )
    paid = [{each["currency"]: (each["cost"],) * 2} for each in used if each["currency"]]
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
    mixes = [each.facts.notes for each in done if each.step.block.section == "mix"]
    asked = asked_shares(mixes)
    for each in done:
        if each.step.block.section == "sources":
            yield from _unnamed_column_lines(each)
        elif each.step.block.section == "export":
            yield from _kind_lines(each)
            if shares := each.facts.notes.get(SHARES):
                yield _mix_line(each.step.id, shares, asked)


def _unnamed_column_lines(done: Done) -> Iterator[str]:
    """Columns that a source left out, as its catalogue entry does not name them."""
    for name, count in sorted(done.facts.counts.items()):
        if name.startswith(UNNAMED):
            values = {"source": done.step.id, "column": name.removeprefix(UNNAMED), "count": count}
            yield message("outcome-unnamed", values)


def asked_shares(mixes: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What a mix notes of every stream: its share that was asked for, of rows or of tokens."""
    return {
        name: {**noted, "estimated": notes.get("tokens_estimated", False)}
        for notes in mixes
        if isinstance(streams := notes.get("streams"), Mapping)
        for name, noted in streams.items()
        if isinstance(noted, Mapping)
    }


def _kind_lines(done: Done) -> Iterator[str]:
    """What the rows teach, and the rows that were left out since they teach something else."""
    step, counts = done.step.id, done.facts.counts
    kinds = {each.get("kind"): None for each in done.facts.notes["data_sets"]}
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


def _mix_line(step: str, shares: Mapping[str, Any], asked: Mapping[str, Mapping[str, Any]]) -> str:
    parts = []
    for name, each in shares.items():
        noted = asked.get(name, {})
        slug = "outcome-share"
        if "token_share" in noted:
            slug = "outcome-estimated-share" if noted["estimated"] else "outcome-tokens-share"
        values = {
            "stream": name,
            "rows": each["rows"],
            "share": f"{100 * each['share']:.1f}",
            "asked": f"{100 * noted.get('asked_share', each['drawn_share']):.1f}",
            "tokens": f"{100 * noted.get('token_share', 0):.1f}",
        }
        parts.append(own_text(slug, **values))
    return message("outcome-mix", {"step": step, "shares": tuple(parts)})
