"""What came of a lock: a few lines, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sftrecipe.errors import Problem
from sftrecipe.messages import message, word
from sftrecipe.run.recipe_lock.lock_contents import FactPath, RecipeLock, entry_of, fact_name
from sftrecipe.run.recipe_lock.lock_drift import LockCheck


def check_text(found: LockCheck) -> str:
    """Whether it drifted, and what could not be checked."""
    fine = "lock-told-drift" if found.drift else "lock-told-fine"
    lines = [message(fine, {"lock": str(found.lock.path)})]
    parts = (("lock-told-unchecked", found.unchecked), ("lock-told-not-locked", found.not_locked))
    lines += [f"  {message(slug, {'names': _names(paths)})}" for slug, paths in parts if paths]
    return "\n".join(lines)


def check_problems(found: LockCheck, command: str) -> list[Problem]:
    """Everything that changed, drift as errors, with what renews the lock behind the last."""
    problems = [each.problem(found.lock) for each in (*found.others, *found.drift)]
    if found.drift:
        last = problems.pop()
        values = {**last.values, "command": command}
        problems.append(Problem(last.slug, last.position, values, "lock-renew", last.severity))
    return problems


def check_json(found: LockCheck) -> str:
    """The same as JSON."""
    lock = found.lock
    return _json({
        "lock": str(lock.path),
        "ok": not found.drift,
        "drift": [each.as_json(lock) for each in found.drift],
        "others": [each.as_json(lock) for each in found.others],
        "unchecked": list(map(fact_name, found.unchecked)),
        "not_locked": list(map(fact_name, found.not_locked)),
    })  # fmt: skip


def written_text(path: Path, lock: RecipeLock, *, written: bool) -> str:
    """That the lock was written, and what it says nothing of yet."""
    slug = "lock-told-written" if written else "lock-told-same"
    lines = [message(slug, {"lock": str(path), "facts": len(lock.facts)})]
    if unknown := lock.unknown():
        lines.append("  " + message("lock-told-unknown", {"names": _names(unknown)}))
    return "\n".join(lines)


def written_json(path: Path, lock: RecipeLock, *, written: bool) -> str:
    """The same as JSON."""
    unknown = list(map(fact_name, lock.unknown()))
    facts = {"lock": str(path), "written": written, "facts": len(lock.facts), "unknown": unknown}
    return _json(facts)


def _names(paths: Iterable[FactPath]) -> str:
    return word("between-names").join(dict.fromkeys(fact_name(entry_of(path)) for path in paths))


def _json(facts: dict[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=2)
