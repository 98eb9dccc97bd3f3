"""What the streams hold: a step stands only while what it read is still the same.

A key says what was asked for. What came of it may differ: rows whose calls failed can be asked for
again, and then what follows must be made again although no key changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple

from sftrecipe.plan.steps import Step
from sftrecipe.store.artifacts import StepStore

_CHANGED = "changed"


class Standing(NamedTuple):
    """Whether a step's result is there."""

    cached: bool
    changed: tuple[str, ...] = ()
    """What changed since the run before: parts of its key; empty: it never ran, or was deleted."""


class StreamContents:
    """What the streams of a plan hold, as far as its steps were gone through, in their order."""

    def __init__(self, store: StepStore) -> None:
        self._store = store
        self._held: dict[str, str | None] = {}

    def read_by(self, step: Step) -> Mapping[str, str]:
        """What the streams hold that a step reads; those that are not made yet are left out."""
        held = {name: self._held.get(name) for name in (*step.reads, *step.named)}
        held |= {f"step {name}": self._held.get(f"step {name}") for name in step.after}
        held["exports"] = step.drawn_for  # earlier versions drew what nobody could export
        return {name: content for name, content in held.items() if content is not None}

    def stands(self, step: Step) -> bool:
        """Whether a step is done, and what it read is as it was."""
        if not self._store.has(step.key):
            return False
        read = self._store.facts(step.key).read
        return all(read.get(name, "") == content for name, content in self.read_by(step).items())

    def standing(self, step: Step, before: Mapping[str, str] | None) -> Standing:
        """Whether a step stands, and what changed; `before`: the parts of its key at the run
        before."""
        if self.stands(step):
            return Standing(True)
        if self._store.has(step.key):
            return Standing(False, ("inputs",))
        changed = () if before is None else _changed_parts(step, before)
        return Standing(False, changed)

    def advance(self, step: Step) -> None:
        """Go on behind a step."""
        content: str | None = None
        if self._store.has(step.key):
            content = self._store.facts(step.key).content if self.stands(step) else _CHANGED
        self._held[f"step {step.id}"] = content
        self._held |= dict.fromkeys(step.makes, content)
        for name in step.thins:
            self._held[name] = _joined(self._held.get(name), content)


def _changed_parts(step: Step, before: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, value in step.parts.items() if before.get(name) != value)


def _joined(first: str | None, second: str | None) -> str | None:
    if first is None or second is None:
        return None
    return blake2b(f"{first} {second}".encode(), digest_size=16).hexdigest()
