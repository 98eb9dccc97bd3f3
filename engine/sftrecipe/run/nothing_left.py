"""Why nothing is left to go on with: which step lost the last rows, its reasons, what to change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import Phrase, reason_word
from sftrecipe.plugin.provider import CALL_FAILED
from sftrecipe.record import Record
from sftrecipe.run.output_folder import REJECTS_FILE
from sftrecipe.run.steps.step_files import REJECTS, advance_streams, judged_streams
from sftrecipe.store.rows import read_rejects
from sftrecipe.store.step_facts import StepFacts
from sftrecipe.store.streams import Stream

if TYPE_CHECKING:
    from sftrecipe.plan.steps import Step
    from sftrecipe.run.execution import Done, Execution

_REASONS = 3
_SHOWN = 80
_HELD_OUT = "held_out"
_CUT_OFF = "cut_off"
_COMMON = {
    _CUT_OFF: ("max_tokens",),
    "empty_answer": ("max_tokens", "stop"),
    "unread_part": ("leave_out",),
    _HELD_OUT: ("holdout",),
}
"""What decides reasons that many plugins share."""
_END = re.compile(r"[A-Za-z_]{1,40}")
"""A server's own word for how it ended a reply; of one at its limit, tokens or text are told."""
_UNSET: tuple[object, ...] = (None, (), {}, "")
_ENGINE_KEYS = {"id", "use", "from", "on", "provider", "with", "budget"}


@dataclass
class Loss:
    """A step that left a stream without rows."""

    step: Step
    stream: str
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

    def told(self) -> tuple[Phrase, ...]:
        """The commonest reasons, each with a row."""
        return tuple(
            Phrase("lost-reason", {"count": count, "reason": reason_word(reason), "row": example})
            for reason, count in self.reasons.most_common(_REASONS)
            if (example := self.examples[reason])
        )

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
        plugin, raw = self.step.block.plugin, self.step.block.raw
        known = {**_COMMON, **plugin.decides}
        if self.ended_by_server:
            del known[_CUT_OFF]
        reasons = self.reasons or (_HELD_OUT,)
        names = dict.fromkeys(name for reason in reasons for name in known.get(reason, ()))
        values = {name: getattr(plugin, name) for name in names if hasattr(plugin, name)}
        told = {name: value for name, value in values.items() if value not in _UNSET}
        if told or values or self.ended_by_server:
            return told or values
        beside = {key: value for key, value in raw.items() if key not in _ENGINE_KEYS}
        return {**beside, **(raw.get("with") or {})}


class NothingLeft(SftrecipeError):
    """No row is left where a step needs some; `losses` tell why."""

    def __init__(self, slug: str, step: Step, losses: Sequence[Loss], execution: Execution) -> None:
        self.losses = losses
        causes = tuple(phrase for loss in losses for phrase in _phrases(loss))
        first = losses[0]
        options = first.changeable()
        recipe = execution.plan.recipe.in_commands
        super().__init__(
            slug,
            _hint(first, options),
            step=step.id,
            causes=causes,
            by=first.step.id,
            place=first.step.block.position,
            options=", ".join(_option(name, value) for name, value in options.items()),
            rejects=execution.out / REJECTS_FILE,
            recipe=recipe,
        )


def nothing_left(execution: Execution, step: Step) -> NothingLeft | None:
    """The error of a step that cannot go on since streams that it reads are empty; None where that
    is not why: a mix needs rows of each, every other step needs some."""
    empty = [name for name in step.reads if not len(execution.streams[name])]
    if not empty or (step.block.section != "mix" and len(empty) < len(step.reads)):
        return None
    return NothingLeft("nothing-left", step, losses_of(execution, empty), execution)


def nothing_exported(execution: Execution, step: Step, facts: StepFacts) -> NothingLeft | None:
    """The error of an export that leaves no row to train on; None where it leaves some."""
    if any(each.role == "train" and each.rows for each in facts.data_sets):
        return None
    if not facts.made:
        return nothing_left(execution, step)
    loss = Loss(step, "", facts.made)
    for record, reason, value in read_rejects(execution.store.path(step.key) / REJECTS):
        loss.add(record, reason, value)
    return NothingLeft("nothing-exported", step, [loss], execution)


def losses_of(execution: Execution, streams: Iterable[str]) -> list[Loss]:
    """The steps that emptied the streams, each once."""
    history = _History(execution)
    found = {id(loss): loss for name in streams for loss in history.emptied(name)}
    return list(found.values())


class _History:
    """What became of every stream, step by step."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._emptied: dict[str, Loss] = {}
        self._reads: dict[str, Sequence[str]] = {}
        """By stream that came out empty, the streams that its maker read, all empty too."""
        self._lost: dict[str, dict[str, int]] = {}
        streams: dict[str, Stream] = {}
        for done in execution.done:
            self._after(done, streams)

    def emptied(self, name: str) -> Iterator[Loss]:
        """The steps to which an empty stream goes back."""
        if name in self._reads:
            for before in self._reads[name]:
                yield from self.emptied(before)
        elif name in self._emptied:
            yield self._emptied[name]

    def _after(self, done: Done, streams: dict[str, Stream]) -> None:
        step, section = done.step, done.step.block.section
        folder = self._execution.store.path(step.key)
        before = {name: streams[name] for name in step.reads if name in streams}
        advance_streams(streams, step, folder)
        if section == "filter":
            for name, judged in judged_streams(before, step, folder):
                self._thinned(done, name, before[name], judged)
        elif section in ("sources", "generate", "mix"):
            self._made(done, step.makes[0], before, streams)
        elif section == "export":
            rows = sum(map(len, before.values()))
            for name in step.makes:
                if not len(streams[name]):
                    self._emptied[name] = Loss(step, name, rows)

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
        rejects = self._execution.store.path(done.step.key) / REJECTS
        if rejects.exists():
            for record, reason, value in read_rejects(rejects):
                loss.add(record, reason, value)
        self._emptied[name] = loss


def _phrases(loss: Loss) -> Iterator[Phrase]:
    """What is told of a loss."""
    values = {"step": loss.step.id, "stream": loss.stream, "count": loss.made}
    if loss.reasons:
        yield Phrase("lost-rejected", {**values, "reasons": loss.told()})
    elif loss.step.block.section == "export":
        yield Phrase("lost-none-held" if loss.stream else "lost-held-out", values)
    elif loss.step.block.section == "sources":
        yield Phrase("lost-source", values)
    else:
        yield Phrase("lost-none-made", values)
    if loss.before:
        lost = ", ".join(f"'{step}' {count}" for step, count in loss.before.items())
        yield Phrase("lost-before", {"lost": lost})


def _hint(loss: Loss, options: Mapping[str, Any]) -> str:
    if [reason for reason, _ in loss.reasons.most_common(1)] == [CALL_FAILED]:
        return "nothing-left-calls"
    if not loss.reasons and loss.step.block.section == "sources":
        return "nothing-left-source"
    if not options:
        return "nothing-left-block"
    return "nothing-left-change" if loss.reasons else "nothing-left-option"


def _short(record: Record) -> str:
    """The beginning of a row's first texts."""
    texts = [value for value in record.columns.values() if isinstance(value, str) and value]
    text = " | ".join(" ".join(each.split()) for each in texts[:2]) or str(record.columns)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _option(name: str, value: object) -> str:
    if value in _UNSET:
        return f"`{name}`"
    if isinstance(value, float):
        value = f"{value:g}"
    text = str(list(value) if isinstance(value, tuple) else value)
    return f"`{name}: {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}`"
