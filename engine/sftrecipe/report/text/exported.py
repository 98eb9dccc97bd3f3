"""What the data sets of a run teach, and what they hold of the mix, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sftrecipe.messages import Word, message, own_text
from sftrecipe.plugin.plugin_kinds import UNNAMED
from sftrecipe.run.run_state import Done
from sftrecipe.store.step_facts import MixFacts, StreamShare

_OTHER = "other_"


def exported_lines(done: Sequence[Done]) -> Iterator[str]:
    """Of every export, one line on what its rows teach, and one on its part of the mix; before them
    the columns that sources left out."""
    mix = next((each.facts.mix for each in done if each.facts.mix), None)
    for each in done:
        if each.step.block.section == "sources":
            yield from _unnamed(each)
        elif each.step.block.section == "export":
            yield from _kind(each)
            if each.facts.export and each.facts.export.shares:
                yield _mix_text(each.step.id, each.facts.export.shares, mix)


def _unnamed(done: Done) -> Iterator[str]:
    """Columns that a source left out, as its catalogue entry does not name them."""
    for name, count in sorted(done.facts.counts.items()):
        if name.startswith(UNNAMED):
            values = {"source": done.step.id, "column": name.removeprefix(UNNAMED), "count": count}
            yield message("outcome-unnamed", values)


def _kind(done: Done) -> Iterator[str]:
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


def _mix_text(step: str, shares: Mapping[str, StreamShare], mix: MixFacts | None) -> str:
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
