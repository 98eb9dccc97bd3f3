"""A run held to its recipe's lock: refused where the recipe drifted, failed where the data did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe.errors import Problem, RecipeError, SftrecipeError
from sftrecipe.messages import Text, own_text
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.run.recipe_lock.held_lock import held_lock, lock_command
from sftrecipe.run.recipe_lock.lock_contents import MADE, FactPath, RecipeLock, entry_of, fact_name
from sftrecipe.run.recipe_lock.lock_drift import FactChange, LockCheck, check_lock
from sftrecipe.run.recipe_lock.locked_facts import current_lock
from sftrecipe.store.project import Project


def check_before_run(recipe: CheckedRecipe, project: Project) -> list[Problem]:
    """What changed and decides nothing, and what the lock cannot hold the run to, as warnings.

    Raises RecipeError, with nothing asked or made, where the recipe drifted from its lock, or has
    none.
    """
    lock = held_lock(recipe)
    found = check_lock(lock, current_lock(recipe, project, made=False))
    drift = [each.problem(lock) for each in found.drift if each.path[0] not in MADE]
    if drift:
        values = {"lock": str(lock.path), "count": len(drift), "command": lock_command(recipe)}
        raise RecipeError([*drift, Problem("lock-held-off", None, values, "lock-renew")])
    told = [each.problem(lock) for each in found.others]
    nothing = sorted(fact_name(entry_of(path)) for path in lock.unknown() if path[0] in MADE)
    if nothing:
        values = {"names": tuple(nothing), "command": lock_command(recipe)}
        told.append(Problem("lock-nothing-held", None, values, "lock-once-made", "warning"))
    return told


def check_after_run(recipe: CheckedRecipe, project: Project, out: Path) -> list[Problem]:
    """What servers tell of their models that they told otherwise, as warnings.

    Raises SftrecipeError where the data came out differently than the lock holds it.
    """
    lock = held_lock(recipe)
    found = check_lock(lock, current_lock(recipe, project))
    told = [each.problem(lock) for each in found.others if each.path[0] == "told"]
    differing = tuple(data_texts(found))
    if not differing:
        return told
    said = "".join(f"; {problem.message()}" for problem in told)
    raise SftrecipeError(
        "lock-data", "lock-left",
        lock=str(lock.path), found=differing, folder=str(out), command=lock_command(recipe),
        told=said,
    )  # fmt: skip


def data_texts(found: LockCheck) -> Iterator[Text]:
    """The streams and data sets that came out differently, a text each."""
    changes: dict[FactPath, list[FactChange]] = {}
    for each in found.drift:
        if each.path[0] in MADE:
            changes.setdefault(entry_of(each.path), []).append(each)
    for entry, several in changes.items():
        yield _data_text(entry, several, found.lock)


def _data_text(entry: FactPath, changes: list[FactChange], lock: RecipeLock) -> Text:
    slug = "lock-data-stream" if entry[0] == "streams" else "lock-data-set"
    counted = next((each for each in changes if each.path[-1] == "rows"), None)
    if counted is None:
        rows = lock.facts.get((*entry, "rows"))
        return own_text(f"{slug}-same", name=entry[-1], now=rows)
    if counted.kind != "changed":
        return own_text(f"lock-data-{counted.kind}", name=entry[-1])
    return own_text(slug, name=entry[-1], now=counted.now, was=counted.was)
