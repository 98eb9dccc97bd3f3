"""Why nothing is left to go on with: which step lost the last rows, its reasons, what to change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import Text, own_text
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.plugin_kinds import Source
from sftrecipe.plugin.provider import CALL_FAILED
from sftrecipe.recipe.language.sections import HELD_OUT
from sftrecipe.record import Record
from sftrecipe.run.output_folder import REJECTS_FILE
from sftrecipe.run.run_state import Done, RunState
from sftrecipe.run.steps.step_files import REJECTS, advance_streams, judged_streams
from sftrecipe.store.rows import read_rejects
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.store.streams import Stream

_REASONS = 3
_SHOWN = 80
_REASON_HELD_OUT = "held_out"
_CUT_OFF = "cut_off"
_COMMON = {
    _CUT_OFF: ("max_tokens",),
    "empty_answer": ("max_tokens", "stop"),
    "unread_part": ("leave_out",),
    _REASON_HELD_OUT: ("holdout",),
}
"""What decides reasons that many plugins share."""
_END = re.compile(r"[A-Za-z_]{1,40}")
"""A server's own word for how it ended a reply; of one at its limit, tokens or text are told."""
_UNSET: tuple[object, ...] = (None, [], {}, "")
_ENGINE_KEYS = {"id", "use", "from", "on", "provider", "with", "budget"}


@dataclass
class Loss:
    """A step that left a stream without rows."""

    step: Step
    stream: str
    """Empty: what it exported."""
    made: int
    """Rows that it looked at, or tried to make."""
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """By reason, the first row, with what was measured."""
    before: dict[str, int] = field(default_factory=dict)
    """Rows that the stream had lost until then, by step."""
    ended_by_server: bool = False
    """Whether a reply was cut off by something else than its limit: no option decides that."""

    def add(self, record: Record, reason: str, value: object, detail: object = None) -> None:
        """Count a lost row."""
        self.reasons[reason] += 1
        is_word = isinstance(value, str) and _END.fullmatch(value) is not None
        self.ended_by_server |= reason == _CUT_OFF and is_word
        if reason not in self.examples:
            number = f"{value:g}" if isinstance(value, float) else value
            measured = " ".join(str(each) for each in (number, detail) if each not in (None, ""))
            text = f'"{_short(record)}"'
            self.examples[reason] = f"{measured}: {text}" if measured else text

    def told(self) -> tuple[Text, ...]:
        """The commonest reasons, each with a row."""
        return tuple(
            own_text("lost-reason", count=count, reason=self.step.reason(reason).name, row=example)
            for reason, count in self.reasons.most_common(_REASONS)
            if (example := self.examples[reason])
        )

    def remedy(self) -> str:
        """What to change so that the commonest reason does not take the rows; empty: not known."""
        reason = next((name for name, _ in self.reasons.most_common(1)), "")
        if reason == _CUT_OFF and self.ended_by_server:
            return ""
        return self.step.reason(reason).remedy

    def facts(self) -> dict[str, Any]:
        """The same as plain data, for `run.json`."""
        return {
            "step": self.step.id,
            "stream": self.stream,
            "rows": self.made,
            "reasons": dict(self.reasons.most_common()),
            "examples": self.examples,
            "before": self.before,
            "change": self.changeable(),
        }

    def changeable(self) -> dict[str, Any]:
        """The options that decide the reasons, with their values; where none is known for them,
        all that the recipe sets in the block."""
        known, raw = self.deciding(), self.step.block.raw
        if known or self.ended_by_server:
            return known
        beside = {key: value for key, value in raw.items() if key not in _ENGINE_KEYS}
        return {**beside, **(raw.get("with") or {})}

    def deciding(self) -> dict[str, Any]:
        """The options that are known to decide the reasons; those that are set, where any is."""
        plugin = self.step.block.plugin
        known = {**_COMMON, **{reason: names for reason, names in plugin.decides.items() if names}}
        if self.ended_by_server:
            del known[_CUT_OFF]
        reasons = self.reasons or (_REASON_HELD_OUT,)
        names = dict.fromkeys(name for reason in reasons for name in known.get(reason, ()))
        values = _plain_options(plugin, names)
        return {name: value for name, value in values.items() if value not in _UNSET} or values


class NothingLeft(SftrecipeError):
    """No row is left where a step needs some; `losses` tell why."""

    def __init__(self, slug: str, step: Step, losses: Sequence[Loss], run: RunState) -> None:
        self.losses = losses
        causes = tuple(text for loss in losses for text in _texts(loss))
        first = losses[0]
        options = first.changeable()
        recipe = run.plan.recipe.in_commands
        super().__init__(
            slug,
            _hint(first, options),
            step=step.id,
            causes=causes,
            by=first.step.id,
            place=first.step.block.position,
            remedy=first.remedy(),
            options=", ".join(_option(name, value) for name, value in options.items()),
            rejects=run.out / REJECTS_FILE,
            recipe=recipe,
        )


def nothing_left(run: RunState, step: Step, *, of_each: bool = False) -> NothingLeft | None:
    """The error of a step that cannot go on since streams that it reads are empty; None where that
    is not why. It needs rows of some, or `of_each`."""
    streams = run.streams_before(step)
    empty = [name for name in step.reads if not len(streams[name])]
    if not empty or (not of_each and len(empty) < len(step.reads)):
        return None
    return NothingLeft("nothing-left", step, losses_of(run, empty), run)


def nothing_exported(run: RunState, step: Step, facts: StepFacts) -> NothingLeft | None:
    """The error of an export that leaves no row to train on; None where it leaves some."""
    if any(each.role == "train" and each.rows for each in facts.data_sets):
        return None
    if not facts.made:
        return nothing_left(run, step)
    loss = Loss(step, "", facts.made)
    for record, reason, value in read_rejects(run.store.path(step.key) / REJECTS):
        loss.add(record, reason, value)
    return NothingLeft("nothing-exported", step, [loss], run)


def losses_of(run: RunState, streams: Iterable[str]) -> list[Loss]:
    """The steps that emptied the streams, each once."""
    history = _History(run)
    found = {id(loss): loss for name in streams for loss in history.emptied(name)}
    return list(found.values())


class _History:
    """What became of every stream, step by step."""

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._emptied: dict[str, Loss] = {}
        self._reads: dict[str, Sequence[str]] = {}
        """By stream that came out empty, the streams that its maker read, all empty too."""
        self._lost: dict[str, dict[str, int]] = {}
        streams: dict[str, Stream] = {}
        for done in run.done:
            self._after(done, streams)

    def emptied(self, name: str) -> Iterator[Loss]:
        """The steps to which an empty stream goes back."""
        if name in self._reads:
            for before in self._reads[name]:
                yield from self.emptied(before)
        elif name in self._emptied:
            yield self._emptied[name]

    def _after(self, done: Done, streams: dict[str, Stream]) -> None:
        step = done.step
        folder = self._run.store.path(step.key)
        before = {name: streams[name] for name in step.reads if name in streams}
        advance_streams(streams, step, folder)
        for name, judged in judged_streams(before, step, folder):
            if name in step.thins:
                self._thinned(done, name, before[name], judged)
        for name in step.makes:
            if name == HELD_OUT:
                self._held_out(step, before, streams[name])
            else:
                self._made(done, name, before, streams)

    def _held_out(self, step: Step, before: Mapping[str, Stream], held_out: Stream) -> None:
        """An export kept rows apart."""
        if not len(held_out):
            self._emptied[HELD_OUT] = Loss(step, HELD_OUT, sum(map(len, before.values())))

    def _thinned(self, done: Done, name: str, before: Stream, after: Stream) -> None:
        """A filter's verdicts on one stream."""
        rows, kept = len(before), len(after)
        if rows and not kept:
            loss = Loss(done.step, name, rows, before=dict(self._lost.get(name, {})))
            for row in after.dropped():
                loss.add(row.record, row.reason, row.value, row.detail)
            self._emptied[name] = loss
        if rows > kept:
            self._lost.setdefault(name, {})[done.step.id] = rows - kept

    def _made(
        self, done: Done, name: str, before: Mapping[str, Stream], streams: Mapping[str, Stream]
    ) -> None:
        """A source, generator or mix made a stream."""
        if done.facts.rejected and name == done.step.id:
            self._lost[name] = {name: done.facts.rejected}
        if len(streams[name]):
            return
        if before and not any(map(len, before.values())):
            self._reads[name] = tuple(before)
            return
        loss = Loss(done.step, name, done.facts.made or sum(map(len, before.values())))
        rejects = self._run.store.path(done.step.key) / REJECTS
        if rejects.exists():
            for record, reason, value in read_rejects(rejects):
                loss.add(record, reason, value)
        self._emptied[name] = loss


def _texts(loss: Loss) -> Iterator[Text]:
    """What is told of a loss."""
    values = {"step": loss.step.id, "stream": loss.stream, "count": loss.made}
    if loss.reasons:
        yield own_text("lost-rejected", **values, reasons=loss.told())
    elif not loss.stream:
        yield own_text("lost-held-out", **values)
    elif loss.stream == HELD_OUT:
        yield own_text("lost-none-held", **values)
    elif isinstance(loss.step.block.plugin, Source):
        yield own_text("lost-source", **values)
    else:
        yield own_text("lost-none-made", **values)
    if loss.before:
        lost = ", ".join(f"'{step}' {count}" for step, count in loss.before.items())
        yield own_text("lost-before", lost=lost)


def _hint(loss: Loss, options: Mapping[str, Any]) -> str:
    if [reason for reason, _ in loss.reasons.most_common(1)] == [CALL_FAILED]:
        return "nothing-left-calls"
    if not loss.reasons and isinstance(loss.step.block.plugin, Source):
        return "nothing-left-source"
    if loss.reasons and not loss.deciding() and loss.remedy():
        return "nothing-left-remedy" if options else "nothing-left-remedy-alone"
    if not options:
        return "nothing-left-block"
    return "nothing-left-change" if loss.reasons else "nothing-left-option"


def _short(record: Record) -> str:
    """The beginning of a row's first texts."""
    texts = [value for value in record.columns.values() if isinstance(value, str) and value]
    text = " | ".join(" ".join(each.split()) for each in texts[:2]) or str(record.columns)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _plain_options(plugin: Plugin, names: Iterable[str]) -> dict[str, Any]:
    """Options as plain data, whatever their types; of one with options of its own those that the
    recipe sets."""
    dump = partial(plugin.model_dump, mode="json", include={*names}, fallback=str, warnings=False)
    values = dump() | dump(exclude_unset=True)
    return {name: values[name] for name in names if name in values}


def _option(name: str, value: object) -> str:
    if value in _UNSET:
        return f"`{name}`"
    text = _shown_value(value)
    return f"`{name}: {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}`"


def _shown_value(value: object) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{name}: {_shown_value(each)}" for name, each in value.items())
        return f"{{{inside}}}"
    return f"{value:g}" if isinstance(value, float) else str(value)
