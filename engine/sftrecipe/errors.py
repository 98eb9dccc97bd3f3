"""What can be wrong: problems with a place, and the errors that carry them."""

from __future__ import annotations

import difflib
import errno
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from sftrecipe import messages

FEW_HANDLES = frozenset({errno.EMFILE, errno.ENFILE})
"""What the system says when too many files are open."""
_OF_MEMORY = (
    "Cannot allocate memory",
    "failed to map segment",
    "can't start new thread",
    "Not enough memory",
)
"""What is said by those that tell of it in their own ways: threads, libraries, child processes."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a recipe file; line and column are one-based."""

    path: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    def facts(self) -> dict[str, object]:
        """The place as plain data."""
        return {"path": self.path, "line": self.line, "column": self.column}


@dataclass(frozen=True, slots=True, order=True)
class KeyPlace(Position):
    """A place in a recipe that no file holds: the keys that lead there; lines count its values."""

    keys: str = ""

    def __str__(self) -> str:
        return self.keys

    def facts(self) -> dict[str, object]:
        """The place as plain data, its keys for a path."""
        return {"path": self.keys, "line": None, "column": None}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `slug` names a message of `sftrecipe.messages`, `hint` one of its hints; `values` fill both.
    """

    slug: str
    position: Position | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"
    """A warning does not stop: the recipe is right, and cannot be run as things are."""

    def message(self, language: str | None = None) -> str:
        """The problem in one line, in the user's language unless one is given."""
        return messages.message(self.slug, self.values, language)

    def advice(self, language: str | None = None) -> str | None:
        """What to do about it, where there is something to do."""
        return messages.hint(self.hint, self.values, language) if self.hint else None

    def as_json(self) -> dict[str, object]:
        """The problem as plain data, for `--json`."""
        nowhere = dict.fromkeys(("path", "line", "column"))
        return {
            "slug": self.slug,
            "severity": self.severity,
            **(self.position.facts() if self.position else nowhere),
            "message": self.message(),
            "hint": self.advice(),
        }


class _Carried(Exception):
    """What another process may hand on: made anew with what it held, not by its constructor."""

    def __reduce__(self) -> tuple[object, ...]:
        return _made_anew, (type(self), self.args), self.__dict__


def _made_anew(kind: type[_Carried], args: tuple[object, ...]) -> _Carried:
    return kind.__new__(kind, *args)


class SftrecipeError(_Carried):
    """An error that is explained to the user by its problem alone, without a traceback."""

    exit_status = 1

    def __init__(self, slug: str, hint: str | None = None, **values: object) -> None:
        self.problem = Problem(slug, None, values, hint)
        super().__init__(self.problem.message("en"))

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """The error of a problem that stands in no file."""
        return cls(problem.slug, problem.hint, **problem.values)


class UsageError(SftrecipeError):
    """The command line or its surroundings are wrong (exit status 2)."""

    exit_status = 2


class PluginError(UsageError):
    """A plugin cannot be found, imported or used; the message names its package."""


class NotFetched(PluginError):
    """What a plugin asks is not on this machine yet, and a run would fetch it."""


class RecipeError(_Carried):
    """All problems of a recipe, in file order (exit status 2)."""

    exit_status = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set_of(problems), key=_file_order)
        super().__init__("\n".join(p.message("en") for p in self.problems))


def limit_reached(error: BaseException | None) -> SftrecipeError | None:
    """The error of a process that may have no more files or memory, where that is what happened."""
    for each in causes(error):
        if isinstance(each, OSError) and each.errno in FEW_HANDLES:
            return SftrecipeError("few-handles", "few-handles")
        if isinstance(each, MemoryError) or any(words in str(each) for words in _OF_MEMORY):
            return SftrecipeError("few-memory", "few-memory")
    return None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came from, outermost first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def refused_by_system(error: BaseException) -> SftrecipeError | None:
    """The error of a file or folder that the system does not let this process use."""
    if not isinstance(error, OSError) or error.errno is None:
        return None
    if error.filename is None:
        return UsageError("folder-gone") if _is_homeless(error) else None
    values = {"path": error.filename, "error": error.strerror or str(error)}
    return SftrecipeError("refused-by-system", None, **values)


def _is_homeless(error: OSError) -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return error.errno == errno.ENOENT
    return False


def set_of(problems: Iterable[Problem]) -> list[Problem]:
    """The problems without repetition (same slug, place and message)."""
    unique = {(p.slug, p.position, p.message("en")): p for p in problems}
    return list(unique.values())


def is_wrong(problems: Iterable[Problem]) -> bool:
    """Whether there is an error among the problems, not warnings alone."""
    return any(problem.severity == "error" for problem in problems)


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name that the user probably meant, if one is near enough."""
    choices = list(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if near:
        return near[0]
    folded = {choice.lower().replace("-", "_"): choice for choice in choices}
    return folded.get(word.lower().replace("-", "_"))


def unknown(
    slug: str,
    place: Position | None,
    name: str,
    known: Iterable[str],
    /,
    hint: str | None = "known",
    **values: object,
) -> Problem:
    """The problem of a name that is not among the known ones.

    It hints at the one that was probably meant; where none is near, by default, at all of them.
    """
    names = list(known)
    listed = {"known": ", ".join(names), **values}
    if suggestion := closest(name, names):
        return Problem(slug, place, {**listed, "suggestion": suggestion}, "did-you-mean")
    return Problem(slug, place, listed, None if hint == "known" and not names else hint)


_WORDS_OF_YAML = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def yaml_word(text: str, *, dots: bool = False) -> str:
    """A text as a line to write has it inside an object; `dots`: they need no quotes."""
    form = r"[^\W\d][\w.]*" if dots else r"[^\W\d]\w*"
    is_plain = re.fullmatch(form, text) and text.lower() not in _WORDS_OF_YAML
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def _file_order(problem: Problem) -> tuple[str, int, int]:
    place = problem.position
    return (place.path, place.line, place.column) if place else ("", 0, 0)
