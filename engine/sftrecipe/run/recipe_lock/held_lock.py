"""The lock that lies beside a recipe: read, held to be its own, written anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from shlex import quote

from sftrecipe.errors import Problem, RecipeError, UsageError, closest, unknown
from sftrecipe.recipe.recipe import FROM_PYTHON, CheckedRecipe
from sftrecipe.run.recipe_lock.lock_contents import (
    MADE,
    FactPath,
    Facts,
    RecipeLock,
    entry_of,
    fact_name,
    is_hidden,
)
from sftrecipe.run.recipe_lock.lock_drift import check_lock
from sftrecipe.run.recipe_lock.lock_reader import SUFFIX, lock_path, read_lock
from sftrecipe.run.recipe_lock.lock_writer import lock_text, write_lock

_RENEWED = frozenset({"lock-conflict", "lock-cut", "lock-edited"})
"""What is wrong with a lock that its command writes anew all the same."""
_OF_A_RUN = frozenset({*MADE, "told"})
"""Sections that hold only with the same steps."""
_MOST_TOLD = 12
"""Entries that a message lists: a lock may have hundreds."""


def lock_command(recipe: CheckedRecipe) -> str:
    """What makes the recipe's lock, for a shell to read."""
    return f"sftrecipe lock {recipe.in_commands}"


def held_lock(recipe: CheckedRecipe) -> RecipeLock:
    """The recipe's lock.

    Raises RecipeError where there is none, or none that can be read, or that of another recipe.
    """
    if recipe.path.name == FROM_PYTHON:
        raise RecipeError([Problem("lock-without-file", None, {}, "lock-needs-file")])
    path = lock_path(recipe.path, recipe.profile)
    if not path.exists():
        raise RecipeError([_missing(recipe, path)])
    lock = _read(recipe, path)
    if lock.recipe != recipe.path.name or lock.profile != recipe.profile:
        raise RecipeError([_of_another(recipe, lock)])
    return lock


def named_lock(path: Path) -> RecipeLock:
    """A lock that is named itself.

    Raises RecipeError where it does not lie under the name of its recipe, as a copy: who names it
    would be told of the other file.
    """
    lock = read_lock(path)
    if lock_path(Path(lock.recipe), lock.profile).name == path.name:
        return lock
    own = path.with_suffix(".yaml")
    recipe = own if own.exists() else path.with_name(lock.recipe)
    values = {
        "was": _called(lock.recipe, lock.profile),
        "now": own.name,
        "command": f"sftrecipe lock {quote(str(recipe))}",
    }
    raise RecipeError([Problem("lock-of-another", lock.place(("recipe",)), values, "lock-make")])


def _read(recipe: CheckedRecipe, path: Path) -> RecipeLock:
    """The lock in a file. Raises RecipeError, with the command that makes this recipe's."""
    try:
        return read_lock(path)
    except RecipeError as error:
        command = {"command": lock_command(recipe)}
        problems = [replace(each, values={**each.values, **command}) for each in error.problems]
        raise RecipeError(problems) from None


def earlier_lock(recipe: CheckedRecipe) -> tuple[RecipeLock | None, list[Problem]]:
    """The lock that is to be made anew, None where there is none that can be read, and why.

    Raises RecipeError where the file is not to be replaced: a later version's, another recipe's,
    no lock at all.
    """
    path = lock_path(recipe.path, recipe.profile)
    if not path.exists():
        return None, []
    try:
        lock = _read(recipe, path)
    except RecipeError as error:
        if {problem.slug for problem in error.problems} <= _RENEWED:
            return None, [replace(each, severity="warning", hint=None) for each in error.problems]
        raise
    if not _is_locked_beside(lock, path) or (lock.recipe, lock.profile) == (
        recipe.path.name,
        recipe.profile,
    ):
        return lock, []
    raise RecipeError([_of_another(recipe, lock)])


def renewed(earlier: RecipeLock | None, now: RecipeLock) -> RecipeLock:
    """What is now; what nobody can tell here stays as it was locked: data and replies where the
    same steps make them, programs in any case."""
    if earlier is None:
        return now
    changes = [each for each in check_lock(earlier, now).drift if each.path[0] not in MADE]
    kept = {
        path: value
        for path, value in earlier.facts.items()
        if is_hidden(path, now.facts) and not (changes and path[0] in _OF_A_RUN)
    }
    facts = now.facts if changes else _without_untold(now.facts, earlier.facts)
    return RecipeLock(_replaced(facts, kept, facts))


def _without_untold(now: Facts, earlier: Facts) -> Facts:
    """What is now, but for what nobody knows yet of models of which replies told nothing."""
    untold = {("told", path[1]) for path in earlier if path[0] == "models"} - {
        path[:2] for path in earlier
    }
    return {path: value for path, value in now.items() if path not in untold}


def updated(earlier: RecipeLock, now: RecipeLock, name: str, command: str) -> RecipeLock:
    """The lock with one entry as it is now, and all others as they were.

    Raises UsageError where no entry is called so, several are, or nobody knows it here.
    """
    every = {entry_of(path) for path in (*earlier.facts, *now.facts)}
    named = sorted(path for path in every if name in _names(path))
    if not named:
        raise UsageError.of(_no_entry(name, every))
    if len(named) > 1:
        whole = tuple(map(fact_name, named))
        raise UsageError("lock-entries", "lock-whole-name", name=name, known=whole)
    entry = named[0]
    if is_hidden(entry, now.facts) and not is_hidden(entry, earlier.facts):
        hint = "lock-run-first" if entry[0] in MADE else None
        raise UsageError("lock-entry-unknown", hint, name=fact_name(entry), command=command)
    others = {path: value for path, value in earlier.facts.items() if entry_of(path) != entry}
    mine = {path: value for path, value in now.facts.items() if entry_of(path) == entry}
    return RecipeLock(_replaced(others, mine, now.facts))


def write_beside(recipe: CheckedRecipe, lock: RecipeLock) -> tuple[Path, bool]:
    """Write the recipe's lock; where, and whether it holds anything else than before.

    The header's command names the recipe by its file name: it is the same on every machine.
    """
    path = lock_path(recipe.path, recipe.profile)
    file = Path(recipe.path.name)
    command = lock_command(replace(recipe, path=file))
    return path, write_lock(path, lock_text(lock, command))


def _no_entry(name: str, every: Iterable[FactPath]) -> Problem:
    """The entry that was probably meant; where none is near, each once by its whole name."""
    entries = sorted(every)
    near = closest(name, [each for path in entries for each in _names(path)])
    whole = [fact_name(path) for path in entries]
    more = ["…"] if len(whole) > _MOST_TOLD else []
    known = [near] if near else [*whole[:_MOST_TOLD], *more]
    return unknown("lock-no-entry", None, name, known, name=name)


def _names(entry: FactPath) -> Iterator[str]:
    """What an entry may be called."""
    yield fact_name(entry)
    yield entry[-1]


def _replaced(base: Facts, other: Facts, order: Facts) -> Facts:
    """Facts with others in the place of what they are, or in which they stand, in the order of a
    whole lock."""
    held = {path: value for path, value in base.items() if not _begins(path, other)} | dict(other)
    every = list(dict.fromkeys((*order, *held)))
    sections = list(dict.fromkeys(path[0] for path in every))
    places = {path: number for number, path in enumerate(every)}
    entries: dict[FactPath, int] = {}
    for path in every:
        entries.setdefault(entry_of(path)[:2], places[path])

    def place(path: FactPath) -> tuple[int, int, int]:
        return sections.index(path[0]), entries[entry_of(path)[:2]], places[path]

    return {path: held[path] for path in sorted(held, key=place)}


def _begins(path: FactPath, others: Facts) -> bool:
    """Whether other facts stand in what a fact is alone now: `streams.ask`."""
    return any(each[: len(path)] == path for each in others)


def _missing(recipe: CheckedRecipe, path: Path) -> Problem:
    begin = f"{recipe.path.stem}."
    files = sorted(recipe.path.parent.glob(f"{recipe.path.stem}.*{SUFFIX}"))
    profiles = [each.name.removeprefix(begin).removesuffix(SUFFIX) for each in files]
    values = {
        "path": str(path),
        "command": lock_command(recipe),
        "profiles": tuple(map(quote, profiles)),
    }
    return Problem("lock-missing", None, values, f"lock-make{'-or-profile' * bool(profiles)}")


def _of_another(recipe: CheckedRecipe, lock: RecipeLock) -> Problem:
    was = _called(lock.recipe, lock.profile)
    values = {
        "was": was,
        "now": _called(recipe.path.name, recipe.profile),
        "command": lock_command(recipe),
    }
    is_taken = lock.path is not None and _is_locked_beside(lock, lock.path)
    hint = "lock-rename" if is_taken else "lock-make"
    return Problem("lock-of-another", lock.place(("recipe",)), values, hint)


def _is_locked_beside(lock: RecipeLock, path: Path) -> bool:
    """Whether the recipe that a lock is of is there; else it was renamed."""
    return path.with_name(lock.recipe).exists()


def _called(recipe: str, profile: str | None) -> str:
    return recipe if profile is None else f"{recipe} --profile {profile}"
