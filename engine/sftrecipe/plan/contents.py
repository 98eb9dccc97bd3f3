"""What the streams hold: a step stands only while what it read is still the same.

A key says what was asked for. What came of it may differ: rows whose calls failed can be asked for
again, and then what follows must be made again although no key changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from sftrecipe.plan.steps import Step
from sftrecipe.store.artifacts import StepStore

_CHANGED = "changed"


class Contents:
    """Follows the steps of a plan, in their order."""

    def __init__(self, store: StepStore) -> None:
        self._store = store
        self._held: dict[str, str | None] = {}

    def of(self, step: Step) -> Mapping[str, str]:
        """What the streams hold that a step reads; those that are not made yet are left out."""
        held = {name: self._held.get(name) for name in (*step.reads, *step.named)}
        held |= {f"step {name}": self._held.get(f"step {name}") for name in step.after}
        if step.drawn_for is not None:  # earlier versions drew what nobody could export
            held["exports"] = step.drawn_for
        return {name: content for name, content in held.items() if content is not None}

    def stands(self, step: Step) -> bool:
        """Whether a step is done, and what it read is as it was."""
        if not self._store.has(step.key):
            return False
        read = self._store.facts(step.key).read
        return all(read.get(name, "") == content for name, content in self.of(step).items())

    def follow(self, step: Step) -> None:
        """Go on behind a step."""
        content: str | None = None
        if self._store.has(step.key):
            stands = self.stands(step)
            content = self._store.facts(step.key).content if stands else _CHANGED
        self._held[f"step {step.id}"] = content
        self._held |= dict.fromkeys(step.makes, content)
        for name in step.thins:
            self._held[name] = _joined(self._held.get(name), content)


def _joined(first: str | None, second: str | None) -> str | None:
    if first is None or second is None:
        return None
    return blake2b(f"{first} {second}".encode(), digest_size=16).hexdigest()
